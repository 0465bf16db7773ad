package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// Names maps the ids in the books to names: slugs of entities and codes of funds. The books hold ids only, so the
// caller of a report brings the names.
type Names struct {
	Entities, Funds map[uuid.UUID]string
}

// Line is the balance of one account in one fund. Its JSON form is that of `konbit ledger balance --json` and does not
// change.
type Line struct {
	Entity   string         `json:"entity"` // slug
	Fund     string         `json:"fund"`   // code
	Account  Account        `json:"account"`
	Currency money.Currency `json:"currency"`
	Amount   int64          `json:"amount"` // minor units, debit positive

	EntityID uuid.UUID `json:"-"`
	FundID   uuid.UUID `json:"-"`
}

// Filter narrows a report. The zero Filter selects everything.
type Filter struct {
	Entity uuid.UUID   // uuid.Nil: every entity
	Funds  []uuid.UUID // nil: every fund
}

// ReadConsistent runs fn in a read-only transaction that sees the whole database as it is at one moment.
func ReadConsistent(ctx context.Context, db *sqlx.DB, fn func(tx *sqlx.Tx) error) error {
	tx, err := db.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing was written
	return fn(tx)
}

// Balance returns the balance of each account by entity and fund, sorted by their names: the newest snapshot and the
// postings since. An account that a fund has used is listed even if its balance is zero. It reports an error if an id
// has no name.
func Balance(ctx context.Context, q sqlx.QueryerContext, names Names, f Filter) ([]Line, error) {
	const all = balances + ` SELECT entity_id, fund_id, account_code, currency, amount FROM balance`
	query, args := `/* ledger.Balance */ `+usedFunds+all, []any{}
	if f.Funds != nil {
		query, args = `/* ledger.Balance */ `+givenFunds+all, []any{pg.UUIDs(f.Funds)}
	}
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	lines := []Line{} // an empty list in JSON, not null
	for rows.Next() {
		var l Line
		if err := rows.Scan(&l.EntityID, &l.FundID, &l.Account, &l.Currency, &l.Amount); err != nil {
			return nil, err
		}
		if f.Entity != uuid.Nil && f.Entity != l.EntityID {
			continue
		}
		if l.Entity, l.Fund, err = names.lookup(l.EntityID, l.FundID); err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	slices.SortFunc(lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.Fund, b.Fund), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Currency, b.Currency))
	})
	return lines, rows.Err()
}

func (n Names) lookup(entityID, fundID uuid.UUID) (entity, fund string, err error) {
	entity, fund = n.Entities[entityID], n.Funds[fundID]
	if entity == "" || fund == "" {
		return "", "", fmt.Errorf("ledger: fund %s of entity %s has no name", fundID, entityID)
	}
	return entity, fund, nil
}
