package payoutlist

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/money"
)

// Line is a balance transaction that a payout pays out.
type Line struct {
	ID        string         `db:"transaction_id"`
	Type      string         `db:"type"`      // the processor's type; empty: it is older than these books, and nothing else is known
	SourceID  string         `db:"source_id"` // the charge, refund, dispute or payout that made it
	Gross     int64          `db:"amount"`    // in minor units, like Fee and Net
	Fee       int64          `db:"fee"`
	Net       int64          `db:"net"`
	Currency  money.Currency `db:"currency"`
	CreatedAt *time.Time     `db:"created_at"`
	ChargeRef string         `db:"charge_ref"` // the charge that it is about; may be empty
}

// Known reports whether the transaction is in these books.
func (l Line) Known() bool { return l.Type != "" }

// Place is the place behind a line in a list. The zero Place is the beginning.
type Place struct {
	At time.Time
	ID string
}

const lineColumns = `transaction_id, coalesce(type, '') AS type, coalesce(source_id, '') AS source_id, coalesce(amount, 0) AS amount, coalesce(fee, 0) AS fee,
	coalesce(net, 0) AS net, coalesce(currency, '') AS currency, created_at, coalesce(charge_ref, '') AS charge_ref`

// Lines returns the next transactions of a payout by time, those that are older than the books first, at most limit, and the place
// of the following page; nil if this is the last one.
func Lines(ctx context.Context, q sqlx.QueryerContext, payout uuid.UUID, after Place, limit int) (page []Line, next *Place, err error) {
	const query = `/* payoutlist.Lines */ SELECT ` + lineColumns + ` FROM payout_line
		WHERE payout_id = $1 AND ($3 = '' OR (coalesce(created_at, '0001-01-01 00:00:00+00'), transaction_id) > ($2, $3))
		ORDER BY coalesce(created_at, '0001-01-01 00:00:00+00'), transaction_id LIMIT $4`
	err = sqlx.SelectContext(ctx, q, &page, query, payout, after.At, after.ID, limit+1)
	if len(page) > limit {
		page = page[:limit]
		last := page[limit-1]
		next = &Place{ID: last.ID}
		if last.CreatedAt != nil {
			next.At = *last.CreatedAt
		}
	}
	return page, next, err
}

// Part is what a transaction left in one fund when its payout was booked, in minor units.
type Part struct {
	TransactionID string    `db:"transaction_id"`
	FundID        uuid.UUID `db:"fund_id"`
	Amount        int64     `db:"amount"`
}

// PartsOf returns the parts of some transactions of a payout, by transaction.
func PartsOf(ctx context.Context, q sqlx.QueryerContext, payout uuid.UUID, lines []Line) (map[string][]Part, error) {
	const query = `/* payoutlist.PartsOf */
		SELECT transaction_id, fund_id, sum(amount)::bigint AS amount FROM payout_part WHERE payout_id = $1 AND transaction_id = ANY($2)
		 GROUP BY transaction_id, fund_id HAVING sum(amount) <> 0 ORDER BY transaction_id, fund_id`
	ids := make([]string, len(lines))
	for i, l := range lines {
		ids[i] = l.ID
	}
	var rows []Part
	parts := map[string][]Part{}
	err := sqlx.SelectContext(ctx, q, &rows, query, payout, pq.Array(ids))
	for _, r := range rows {
		parts[r.TransactionID] = append(parts[r.TransactionID], r)
	}
	return parts, err
}

// KindSum is the sum of a payout's transactions of one type, in minor units.
type KindSum struct {
	Type  string `db:"type"` // empty: those that are older than the books; their amounts are not known
	Count int    `db:"count"`
	Gross int64  `db:"amount"`
	Fee   int64  `db:"fee"`
	Net   int64  `db:"net"`
}

// Kinds returns the sums of a payout's transactions by type, the largest first.
func Kinds(ctx context.Context, q sqlx.QueryerContext, payout uuid.UUID) (sums []KindSum, err error) {
	const query = `/* payoutlist.Kinds */
		SELECT coalesce(type, '') AS type, count(*) AS count, coalesce(sum(amount), 0)::bigint AS amount, coalesce(sum(fee), 0)::bigint AS fee,
		       coalesce(sum(net), 0)::bigint AS net
		  FROM payout_line WHERE payout_id = $1 GROUP BY 1 ORDER BY 5 DESC, 1`
	err = sqlx.SelectContext(ctx, q, &sums, query, payout)
	return sums, err
}

// FundSum is what a payout has of one fund, in minor units.
type FundSum struct {
	FundID   uuid.UUID `db:"fund_id"`
	Lines    int64     `db:"lines"`    // what its transactions left in the fund
	Carried  int64     `db:"carried"`  // what moved to the fund in clearing before it, and it pays out
	Booked   int64     `db:"booked"`   // what the books moved from Stripe clearing (1010) to payouts in transit (1015)
	Returned int64     `db:"returned"` // what they moved back when the payout failed
}

// Rest returns what neither the transactions nor a move explain of what was booked.
func (f FundSum) Rest() int64 { return f.Booked - f.Lines - f.Carried }

// Funds returns what a payout has of each fund, in the order of the funds' ids.
func Funds(ctx context.Context, q sqlx.QueryerContext, payout uuid.UUID) (sums []FundSum, err error) {
	const query = `/* payoutlist.Funds */
		SELECT fund_id, sum(lines)::bigint AS lines, sum(carried)::bigint AS carried, sum(booked)::bigint AS booked, sum(returned)::bigint AS returned FROM (
		    SELECT fund_id, amount AS lines, 0 AS carried, 0 AS booked, 0 AS returned FROM payout_part WHERE payout_id = $1
		    UNION ALL SELECT fund_id, 0, amount, 0, 0 FROM payout_carried WHERE payout_id = $1
		    UNION ALL SELECT fund_id, 0, 0, amount, 0 FROM payout_booked WHERE payout_id = $1 AND type = 'payout'
		    UNION ALL SELECT fund_id, 0, 0, 0, -amount FROM payout_booked WHERE payout_id = $1 AND type <> 'payout') p
		 GROUP BY fund_id ORDER BY fund_id`
	err = sqlx.SelectContext(ctx, q, &sums, query, payout)
	return sums, err
}

// Own is a payout's own transaction: the one that pays it out, or the one that brought its money back.
type Own struct {
	ID        string    `db:"transaction_id"`
	Type      string    `db:"type"`
	Net       int64     `db:"net"` // negative: money left the processor's balance
	CreatedAt time.Time `db:"created_at"`
}

// IsReturn reports whether the transaction brought the money back.
func (o Own) IsReturn() bool { return o.Type != "payout" }

// OwnOf returns the booked transactions of a payout itself, by time; none if it is not booked yet.
func OwnOf(ctx context.Context, q sqlx.QueryerContext, payout uuid.UUID) (own []Own, err error) {
	const query = `/* payoutlist.OwnOf */ SELECT transaction_id, type, net, created_at FROM payout_transaction WHERE payout_id = $1
		 ORDER BY type <> 'payout', created_at, transaction_id`
	err = sqlx.SelectContext(ctx, q, &own, query, payout)
	return own, err
}
