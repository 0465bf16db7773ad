package ledger

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// ledger_month has the sum of what was booked in each month, by fund and account, for the sealed entries up to
// ledger_month_through.serial. A report adds the postings of later serials, so it is exact at any time. Only functions of
// migration 00110 write the rows, from the postings.

// monthBatch is the number of entries that one transaction adds to the months.
const monthBatch = 20_000

// addToMonths adds the sealed entries that ledger_month does not include yet. Several processes may call it at once: one
// works, the others return.
func addToMonths(ctx context.Context, db *sqlx.DB) error {
	const due = `/* ledger.addToMonths */ SELECT coalesce((SELECT max(serial) FROM ledger_seal), 0) > serial FROM ledger_month_through`
	const add = `/* ledger.addToMonths */ SELECT add_to_months($1)`
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

// RebuildMonths computes ledger_month and ledger_day anew from all postings.
func RebuildMonths(ctx context.Context, db *sqlx.DB) error {
	const rebuild = `/* ledger.RebuildMonths */ SELECT rebuild_months(), rebuild_days()`
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, rebuild)
		return err
	})
}

// MonthSum is what was booked in one month in an account of a fund.
type MonthSum struct {
	Month   Date           `db:"month"` // its first day
	FundID  uuid.UUID      `db:"fund_id"`
	Account Account        `db:"account_code"`
	Kind    string         `db:"kind"`   // of the account: asset, liability, net_assets, revenue, expense, memo
	Class   sql.NullString `db:"class"`  // of the account: with or without donor restrictions; null for assets, liabilities and memo accounts
	Amount  int64          `db:"amount"` // minor units of Currency, debit positive
	Lines   int64          `db:"lines"`  // number of postings

	Currency money.Currency `db:"currency"`
}

// Months narrows a report by month to one legal entity, the months from From up to and without Until, and, unless they
// are nil, some funds and accounts.
type Months struct {
	EntityID    uuid.UUID
	From, Until Date // first days of months
	Funds       []uuid.UUID
	Accounts    []Account
}

// Year returns the months of a calendar year.
func Year(entityID uuid.UUID, year int) Months {
	return Months{EntityID: entityID, From: Date{year, time.January, 1}, Until: Date{year + 1, time.January, 1}}
}

// monthSums begins a query with the sums of an entity's months, and the entries that ledger_month does not include yet. The
// upper limit of the serials makes the planner expect few of these, and MATERIALIZED makes it find them by their serials.
const monthSums = `
	WITH fresh AS MATERIALIZED (
	    SELECT e.id, e.entry_date FROM journal_entry e
	     WHERE e.serial > (SELECT serial FROM ledger_month_through) AND e.serial <= 9223372036854775807 AND e.entity_id = $1
	), s AS (
	    SELECT month, fund_id, account_code, amount, lines FROM ledger_month WHERE entity_id = $1 AND month >= $2 AND month < $3
	    UNION ALL
	    SELECT date_trunc('month', f.entry_date)::date, p.fund_id, p.account_code, p.amount, 1 FROM fresh f JOIN posting p ON p.entry_id = f.id
	     WHERE f.entry_date >= $2 AND f.entry_date < $3
	)`

// SumsByMonth returns what was booked, by month, fund and account, in this order. A sum without postings is missing.
func SumsByMonth(ctx context.Context, q sqlx.QueryerContext, m Months) (sums []MonthSum, err error) {
	const query = `/* ledger.SumsByMonth */ ` + monthSums + `
		SELECT s.month, s.fund_id, s.account_code, a.kind, a.class, b.currency, sum(s.amount)::bigint AS amount, sum(s.lines)::bigint AS lines
		  FROM s JOIN account a ON a.code = s.account_code JOIN books b ON b.entity_id = $1
		 WHERE ($4::uuid[] IS NULL OR s.fund_id = ANY($4)) AND ($5::text[] IS NULL OR s.account_code = ANY($5))
		 GROUP BY s.month, s.fund_id, s.account_code, a.kind, a.class, b.currency
		 ORDER BY s.month, s.fund_id, s.account_code`
	err = sqlx.SelectContext(ctx, q, &sums, query, m.args()...)
	return sums, err
}

// Activities returns the statement of activities of an entity: what was booked in its revenue and expense accounts, by
// fund and account, in this order. Revenue is negative. Month is m.From in each sum. Sums of zero are included, so that
// a line of what was booked and reversed shows.
func Activities(ctx context.Context, q sqlx.QueryerContext, m Months) (sums []MonthSum, err error) {
	const query = `/* ledger.Activities */ ` + monthSums + `
		SELECT $2::date AS month, s.fund_id, s.account_code, a.kind, a.class, b.currency, sum(s.amount)::bigint AS amount, sum(s.lines)::bigint AS lines
		  FROM s JOIN account a ON a.code = s.account_code AND a.kind IN ('revenue', 'expense') JOIN books b ON b.entity_id = $1
		 WHERE ($4::uuid[] IS NULL OR s.fund_id = ANY($4)) AND ($5::text[] IS NULL OR s.account_code = ANY($5))
		 GROUP BY s.fund_id, s.account_code, a.kind, a.class, b.currency
		 ORDER BY s.fund_id, s.account_code`
	err = sqlx.SelectContext(ctx, q, &sums, query, m.args()...)
	return sums, err
}

func (m Months) args() []any {
	var accounts any
	if m.Accounts != nil {
		accounts = codes(m.Accounts)
	}
	return []any{m.EntityID, m.From.String(), m.Until.String(), fundsOrNull(m.Funds), accounts}
}

func codes(accounts []Account) pq.StringArray {
	texts := make(pq.StringArray, len(accounts))
	for i, a := range accounts {
		texts[i] = string(a)
	}
	return texts
}
