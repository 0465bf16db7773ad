package ledger

import (
	"context"
	"database/sql"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// ledger_day has the sum of what was given on each day, by fund and account of contributions, for the sealed entries up to
// ledger_day_through.serial. A report adds the postings of later serials, so it is exact at any time. Only functions of
// migration 00140 write the rows, from the postings.

// GiftAccounts are the accounts of contributions, in cash and in kind.
var GiftAccounts = []Account{ContributionsWithout, ContributionsWith, InKindWithout, InKindWith}

// addToDays adds the sealed entries that ledger_day does not include yet, as addToMonths does.
func addToDays(ctx context.Context, db *sqlx.DB) error {
	const due = `/* ledger.addToDays */ SELECT coalesce((SELECT max(serial) FROM ledger_seal), 0) > serial FROM ledger_day_through`
	const add = `/* ledger.addToDays */ SELECT add_to_days($1)`
	for {
		var behind bool
		if err := db.GetContext(ctx, &behind, due); err != nil || !behind {
			return err
		}
		var upto sql.NullInt64
		err := pg.InTx(ctx, db, func(tx *sqlx.Tx) error { return tx.GetContext(ctx, &upto, add, monthBatch) })
		if err != nil || !upto.Valid {
			return err
		}
	}
}

// DaySum is what was given on one day.
type DaySum struct {
	Day    Date  `db:"day"`
	Amount int64 `db:"amount"` // minor units
	Lines  int64 `db:"lines"`  // number of postings
}

// GivenByDay returns what was booked in the accounts of contributions on each day of a period, from its first day up to and
// without until, in order. A day without a gift is missing. funds nil: of all.
func GivenByDay(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, from, until Date, funds []uuid.UUID) (sums []DaySum, err error) {
	const query = `/* ledger.GivenByDay */
		WITH fresh AS MATERIALIZED (
		    SELECT e.id, e.entry_date FROM journal_entry e
		     WHERE e.serial > (SELECT serial FROM ledger_day_through) AND e.serial <= 9223372036854775807 AND e.entity_id = $1
		), s AS (
		    SELECT day, fund_id, amount, lines FROM ledger_day WHERE entity_id = $1 AND day >= $2 AND day < $3
		    UNION ALL
		    SELECT f.entry_date, p.fund_id, p.amount, 1 FROM fresh f JOIN posting p ON p.entry_id = f.id
		     WHERE f.entry_date >= $2 AND f.entry_date < $3 AND p.account_code = ANY($5)
		)
		SELECT day, -sum(amount)::bigint AS amount, sum(lines)::bigint AS lines FROM s WHERE $4::uuid[] IS NULL OR fund_id = ANY($4) GROUP BY day ORDER BY day`
	err = sqlx.SelectContext(ctx, q, &sums, query, entity, from.String(), until.String(), fundsOrNull(funds), codes(GiftAccounts))
	return sums, err
}

func fundsOrNull(funds []uuid.UUID) any {
	if funds == nil {
		return nil
	}
	return pg.UUIDs(funds)
}
