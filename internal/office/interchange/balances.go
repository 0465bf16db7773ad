package interchange

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
)

// BalanceLine is a balance in the output of `konbit ledger balance --json`.
type BalanceLine struct {
	ledger.Line
	Name string `json:"account_name"`
}

// ErrNoOrganisation means that no organisation has the slug.
var ErrNoOrganisation = errors.New("no such organisation")

// Balances returns all balances, or those of the funds of one organisation by its slug, with their names, in one database
// snapshot.
func Balances(ctx context.Context, db *sqlx.DB, organisation string) (lines []BalanceLine, err error) {
	err = ledger.ReadConsistent(ctx, db, func(tx *sqlx.Tx) error {
		names, err := Names(ctx, tx)
		if err != nil {
			return err
		}
		var filter ledger.Filter
		if organisation != "" {
			if filter.Funds, err = fundsOf(ctx, tx, organisation); err != nil {
				return err
			}
		}
		chart, err := ledger.Chart(ctx, tx)
		if err != nil {
			return err
		}
		all, err := ledger.Balance(ctx, tx, names, filter)
		lines = make([]BalanceLine, len(all)) // an empty list in JSON, not null
		for i, l := range all {
			lines[i] = BalanceLine{l, chart[l.Account]}
		}
		return err
	})
	return lines, err
}

// fundsOf returns the funds of an organisation; an empty list, not nil, if it has none.
func fundsOf(ctx context.Context, tx *sqlx.Tx, slug string) ([]uuid.UUID, error) {
	register, err := org.ReadRegister(ctx, tx)
	if err != nil {
		return nil, err
	}
	o, err := register.Organisation(slug)
	if err != nil {
		return nil, fmt.Errorf("%w: no organisation has the slug %q", ErrNoOrganisation, slug)
	}
	all, err := fund.All(ctx, tx)
	if err != nil {
		return nil, err
	}
	funds := []uuid.UUID{}
	for _, f := range all {
		if f.OrganisationID == o.ID {
			funds = append(funds, f.ID)
		}
	}
	return funds, nil
}
