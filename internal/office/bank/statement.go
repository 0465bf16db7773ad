package bank

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
)

// Gap is what the statements of an account leave out, or contradict.
type Gap struct {
	From, Until ledger.Date // days of no statement; both zero: the balances differ
	Amount      int64       // by which the bank's balance differs from the lines, minor units
	On          ledger.Date // the day of that balance
}

type storedStatement struct {
	From    ledger.Date `db:"from_on"`
	Until   ledger.Date `db:"until_on"`
	Opening *int64      `db:"opening"`
	Closing *int64      `db:"closing"`
	Lines   int64       `db:"lines"` // the sum of the stored lines through its last day, from the beginning of the books
}

// readStatements reads what the bank's own balances say of the month, and which days of it no statement has.
func (p *Proof) readStatements(ctx context.Context, q sqlx.QueryerContext) error {
	first, last := p.Month.First(), p.Month.Last()
	const query = `/* bank.readStatements */
		SELECT s.from_on, s.until_on, s.opening, s.closing,
		       (SELECT coalesce(sum(p.amount), 0) FROM bank_line p WHERE p.account_id = s.account_id AND p.booked_on <= s.until_on` + begins + `)::bigint AS lines
		  FROM bank_statement s WHERE s.account_id = $1 AND s.until_on >= $2 AND s.from_on <= $3 ORDER BY s.from_on, s.until_on, s.id`
	const opened = `/* bank.readStatements */ SELECT coalesce(sum(amount), 0)::bigint FROM bank_opening WHERE account_id = $1 AND on_date <= $2`
	var all []storedStatement
	if err := sqlx.SelectContext(ctx, q, &all, query, p.Account.ID, first.String(), last.String()); err != nil {
		return err
	}
	var opening int64
	if err := sqlx.GetContext(ctx, q, &opening, opened, p.Account.ID, last.String()); err != nil {
		return err
	}
	next := first
	for _, s := range all {
		if next.String() < s.From.String() {
			p.Gaps = append(p.Gaps, Gap{From: next, Until: dayBefore(s.From)})
		}
		if next.String() <= s.Until.String() {
			next = s.Until.Next()
		}
		if s.Closing == nil || s.Until.String() > last.String() {
			continue
		}
		if p.Stated == nil || p.Stated.On.String() <= s.Until.String() {
			p.Stated = &Stated{s.Until, *s.Closing}
		}
		if differs := *s.Closing - opening - s.Lines; p.Begun && differs != 0 {
			p.Gaps = append(p.Gaps, Gap{On: s.Until, Amount: differs})
		}
	}
	if next.String() <= last.String() {
		p.Gaps = append(p.Gaps, Gap{From: next, Until: last})
	}
	return nil
}

func dayBefore(d ledger.Date) ledger.Date {
	return ledger.DateOf(d.In(time.UTC).AddDate(0, 0, -1), time.UTC)
}
