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

// Names say what the ids in the books are called: the slugs of entities and the codes of funds. The books
// know ids only, so whoever wants a report brings the names.
type Names struct {
	Entities, Funds map[uuid.UUID]string
}

// Line is the balance of one account in one fund. In JSON it is what `konbit ledger balance --json` promises.
type Line struct {
	Entity   string         `json:"entity"` // slug
	Fund     string         `json:"fund"`   // code
	Account  Account        `json:"account"`
	Currency money.Currency `json:"currency"`
	Amount   int64          `json:"amount"` // minor units, debit positive

	EntityID uuid.UUID `json:"-"`
	FundID   uuid.UUID `json:"-"`
}

// Filter narrows a report; the zero Filter is everything.
type Filter struct {
	Entity uuid.UUID   // uuid.Nil: every entity
	Funds  []uuid.UUID // nil: every fund
}

// Snapshot runs fn in a transaction that only reads and sees the books, and everything else, as they are at one moment.
func ReadConsistent(ctx context.Context, db *sqlx.DB, fn func(tx *sqlx.Tx) error) error {
	tx, err := db.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	return fn(tx)
}

// Balance is what stands on each account by entity and fund, in the order of those names: newest snapshot and postings
// since. An account a fund once used is there even when it has come back to zero. An id without a name is an error.
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
