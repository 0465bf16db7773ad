package bank

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/money"
)

// Month is a month of an account.
type Month struct {
	Year  int
	Month time.Month
}

// ParseMonth reads 2026-10.
func ParseMonth(text string) (Month, error) {
	at, err := time.Parse("2006-01", text)
	if err != nil || len(text) != 7 {
		return Month{}, errNotFound
	}
	return Month{at.Year(), at.Month()}, nil
}

// String returns the month as 2026-10.
func (m Month) String() string { return m.First().String()[:7] }

// First returns the first day.
func (m Month) First() ledger.Date { return ledger.Date{Year: m.Year, Month: m.Month, Day: 1} }

// Last returns the last day.
func (m Month) Last() ledger.Date {
	return ledger.DateOf(time.Date(m.Year, m.Month+1, 0, 0, 0, 0, 0, time.UTC), time.UTC)
}

// Next returns the month that is so many months later.
func (m Month) Next(months int) Month {
	d := m.First().FirstOfMonth(months)
	return Month{d.Year, d.Month}
}

// Proof is the bank reconciliation of an account and month. All amounts are minor units. At the end of the month
//
//	Closing = Book + Open + Aside + Elsewhere − NotCleared
//
// where each is the sum of its list. Difference is what the lists leave unexplained: zero if the books are right.
type Proof struct {
	Account Account
	Month   Month

	Opening int64 // what the bank had before the month: openings of the books and lines since
	Kinds   []KindSum
	Closing int64 // Opening and the month's lines
	Stated  *Stated
	Gaps    []Gap

	Book       int64 // 1100 of the account
	Open       []Line
	Aside      []AsideLine
	Elsewhere  []Match      // matched with a line of, or booked on, a day after the month
	NotCleared []NotCleared // in 1100 without a line in the statement
	Matches    []Match      // of lines of the month
	Begun      bool         // the account has an opening, or the first statement says what it began with
	Sums       ProofSums
}

// ProofSums are the sums of the lists of a Proof.
type ProofSums struct{ Open, Aside, Elsewhere, NotCleared, Difference int64 }

// KindSum is what the month's lines are, by the kind of their items. Kind is empty for open lines.
type KindSum struct {
	Kind   string `db:"kind" json:"kind"`
	Lines  int    `db:"lines" json:"lines"`
	Amount int64  `db:"amount" json:"amount"`
	Moved  int64  `db:"moved" json:"moved"` // the amounts without their signs
}

// Stated is what the bank's own statement says at the end of the month.
type Stated struct {
	On      ledger.Date `db:"until_on"`
	Closing int64       `db:"closing"`
}

// AsideLine is what was set aside: it is on the statement and not in the books, for a reason.
type AsideLine struct {
	MatchID  uuid.UUID   `db:"match_id"`
	BookedOn ledger.Date `db:"on_date"`
	Amount   int64       `db:"amount"`
	Reason   string      `db:"ref"`
}

// NotCleared is what is in 1100 and not on the statement.
type NotCleared struct {
	Kind   string      `db:"kind"`
	Ref    string      `db:"ref"`
	On     ledger.Date `db:"on_date"`
	Amount int64       `db:"amount"`
}

// Amount returns an amount of the account's currency.
func (p Proof) Amount(minor int64) money.Amount { return money.New(minor, p.Account.Currency) }

// ProofOf returns the proof of an account and month. q sees one moment.
func ProofOf(ctx context.Context, q sqlx.QueryerContext, a Account, m Month) (p Proof, err error) {
	p = Proof{Account: a, Month: m}
	first, last := m.First().String(), m.Last().String()
	const opened = `/* bank.ProofOf */ SELECT coalesce(sum(amount) FILTER (WHERE on_date <= $2), 0)::bigint AS amount, count(*) > 0 AS begun FROM bank_opening WHERE account_id = $1`
	const sums = `/* bank.ProofOf */
		SELECT coalesce(sum(p.amount) FILTER (WHERE p.booked_on < $2), 0)::bigint AS before, coalesce(sum(p.amount), 0)::bigint AS all_of
		  FROM bank_line p WHERE p.account_id = $1 AND p.booked_on <= $3` + begins
	var opening struct {
		Amount int64 `db:"amount"`
		Begun  bool  `db:"begun"`
	}
	var lines struct {
		Before int64 `db:"before"`
		All    int64 `db:"all_of"`
	}
	if err := sqlx.GetContext(ctx, q, &opening, opened, a.ID, last); err != nil {
		return p, err
	}
	if err := sqlx.GetContext(ctx, q, &lines, sums, a.ID, first, last); err != nil {
		return p, err
	}
	p.Begun, p.Opening, p.Closing = opening.Begun, opening.Amount+lines.Before, opening.Amount+lines.All
	if p.Book, err = ledger.BankBalance(ctx, q, a.EntityID, a.Slug, m.Last()); err != nil {
		return p, err
	}
	if err := p.readLists(ctx, q); err != nil {
		return p, err
	}
	if err := p.readStatements(ctx, q); err != nil {
		return p, err
	}
	p.add()
	return p, nil
}

// readLists reads what makes up the difference between statement and books at the end of the month.
func (p *Proof) readLists(ctx context.Context, q sqlx.QueryerContext) (err error) {
	begin, last := ledger.Date{Year: 1, Month: time.January, Day: 1}, p.Month.Last()
	if p.Open, err = OpenLines(ctx, q, p.Account.ID, begin, last, 1_000_000); err != nil {
		return err
	}
	if p.Matches, err = MatchesOf(ctx, q, p.Account.ID, p.Month.First(), last); err != nil {
		return err
	}
	const kinds = `/* bank.readLists */
		SELECT kind, count(*) AS lines, sum(amount)::bigint AS amount, sum(abs(amount))::bigint AS moved FROM (
		    SELECT CASE WHEN count(DISTINCT i.kind) = 1 THEN min(i.kind) ELSE 'several' END AS kind, p.amount
		      FROM bank_part p JOIN bank_match_line o ON o.line_id = p.line_id AND o.part = p.part AND NOT o.undone JOIN bank_match_item i ON i.match_id = o.match_id
		     WHERE p.account_id = $1 AND p.booked_on BETWEEN $2 AND $3` + begins + ` GROUP BY p.line_id, p.part, p.amount
		    UNION ALL
		    SELECT '', p.amount FROM bank_part p LEFT JOIN bank_match_line o ON o.line_id = p.line_id AND o.part = p.part AND NOT o.undone
		     WHERE p.account_id = $1 AND p.booked_on BETWEEN $2 AND $3 AND o.match_id IS NULL` + begins + `) k
		 GROUP BY kind ORDER BY kind = '', kind`
	if err = sqlx.SelectContext(ctx, q, &p.Kinds, kinds, p.Account.ID, p.Month.First().String(), last.String()); err != nil {
		return err
	}
	// A match is whole at the end of the month if all of its lines are in it, and what it books is booked.
	const aside = `/* bank.readLists */ SELECT i.match_id, m.on_date, i.amount, i.ref FROM bank_match_item i JOIN bank_match m ON m.id = i.match_id
		WHERE i.account_id = $1 AND NOT i.undone AND i.kind = 'aside' AND m.on_date <= $2 ORDER BY m.on_date, i.match_id, i.n`
	if err = sqlx.SelectContext(ctx, q, &p.Aside, aside, p.Account.ID, last.String()); err != nil {
		return err
	}
	const elsewhere = `/* bank.readLists */ ` + matchColumns + `WHERE m.account_id = $1 AND m.undone_at IS NULL
		AND EXISTS (SELECT FROM bank_match_line o JOIN bank_line l ON l.id = o.line_id WHERE o.match_id = m.id AND l.booked_on <= $2)
		AND (m.on_date > $2 OR EXISTS (SELECT FROM bank_match_entry e WHERE e.match_id = m.id AND e.entry_date > $2))
		ORDER BY m.on_date, m.id`
	if p.Elsewhere, err = matches(ctx, q, elsewhere, p.Account.ID, last.String()); err != nil {
		return err
	}
	const notCleared = `/* bank.readLists */ SELECT s.kind, s.ref, min(s.entry_date) AS on_date, sum(s.amount)::bigint AS amount FROM bank_standing_posting s
		WHERE s.account_id = $1 AND s.entry_date <= $2 AND NOT EXISTS (SELECT FROM bank_cleared c JOIN bank_match m ON m.id = c.match_id
		   WHERE c.entity_id = s.entity_id AND c.kind = s.kind AND c.ref = s.ref AND m.on_date <= $2)
		GROUP BY s.kind, s.ref HAVING sum(s.amount) <> 0 ORDER BY 3, 1, 2`
	return sqlx.SelectContext(ctx, q, &p.NotCleared, notCleared, p.Account.ID, last.String())
}

// add adds up the lists.
func (p *Proof) add() {
	last := p.Month.Last().String()
	for _, l := range p.Open {
		p.Sums.Open += l.Amount
	}
	for _, a := range p.Aside {
		p.Sums.Aside += a.Amount
	}
	for _, m := range p.Elsewhere {
		p.Sums.Elsewhere += m.outside(last)
	}
	for _, n := range p.NotCleared {
		p.Sums.NotCleared += n.Amount
	}
	p.Sums.Difference = p.Closing - p.Book - p.Sums.Open - p.Sums.Aside - p.Sums.Elsewhere + p.Sums.NotCleared
}

// outside returns what a match leaves on the statement of a day and not in the books of that day: its lines until then, less what is counted as
// set aside or cleared then.
func (m Match) outside(last string) (sum int64) {
	for _, l := range m.Lines {
		if l.BookedOn.String() <= last {
			sum += l.Amount
		}
	}
	if m.On.String() > last {
		return sum
	}
	for _, i := range m.Items {
		if !i.Booked {
			sum -= i.Amount
		}
	}
	return sum
}

// Explained returns how many cents of a hundred of the month's movements are explained, for the bar.
func (p Proof) Explained() int {
	var all, open int64
	for _, k := range p.Kinds {
		all += k.Moved
		if k.Kind == "" {
			open += k.Moved
		}
	}
	if all == 0 {
		return 100
	}
	return int((all - open) * 100 / all)
}
