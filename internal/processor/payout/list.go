package payout

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

// Kinds and Statuses are all kinds and all statuses.
var (
	Kinds    = []Kind{Automatic, Manual, Instant}
	Statuses = []Status{Pending, InTransit, Paid, Failed, Canceled}
)

// Returned reports whether the money came back, or never left.
func (s Status) Returned() bool { return s == Failed || s == Canceled }

// Filter chooses payouts of an entity.
type Filter struct {
	EntityID    uuid.UUID
	Kind        Kind      // empty: any
	Statuses    []Status  // nil: any
	From, Until time.Time // days of arrival, Until excluded; zero: any
}

// Cursor is the place behind a payout in a list. The zero Cursor is the beginning.
type Cursor struct{ On, Ref string }

const (
	columns = `SELECT id, payout_ref, coalesce(kind, '') AS kind, amount, currency, arrival_on, status, descriptor, created_at, members_stored FROM payout `
	chosen  = ` entity_id = $1 AND ($2 = '' OR kind = $2) AND ($3::text[] IS NULL OR status = ANY($3))
		AND ($4::date IS NULL OR arrival_on >= $4) AND ($5::date IS NULL OR arrival_on < $5)`
)

func (f Filter) args() []any {
	var statuses any
	if f.Statuses != nil {
		texts := make(pq.StringArray, len(f.Statuses))
		for i, s := range f.Statuses {
			texts[i] = string(s)
		}
		statuses = texts
	}
	day := func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return t.Format(time.DateOnly)
	}
	return []any{f.EntityID, f.Kind, statuses, day(f.From), day(f.Until)}
}

// Page returns the next payouts of a list, those that arrive last first, at most limit, without members, and the cursor of the
// following page; nil if this is the last one.
func Page(ctx context.Context, q sqlx.QueryerContext, f Filter, after Cursor, limit int) (page []Stored, next *Cursor, err error) {
	const query = `/* payout.Page */ ` + columns + `WHERE` + chosen + `
		AND ($6 = '' OR (arrival_on, payout_ref) < (nullif($6, '')::date, $7)) ORDER BY arrival_on DESC, payout_ref DESC LIMIT $8`
	if _, bad := time.Parse(time.DateOnly, after.On); bad != nil {
		after = Cursor{} // no place of ours
	}
	err = sqlx.SelectContext(ctx, q, &page, query, append(f.args(), after.On, after.Ref, limit+1)...)
	if len(page) > limit {
		page = page[:limit]
		last := page[limit-1]
		next = &Cursor{last.ArrivalOn.Format(time.DateOnly), last.Ref}
	}
	return page, next, err
}

// Sum is how many payouts of a list there are in one currency, and what they come to in minor units.
type Sum struct {
	Currency money.Currency `db:"currency"`
	Count    int            `db:"count"`
	Amount   int64          `db:"amount"`
}

// SumOf returns the sums of a list by currency: of those that did not come back, or if the list has no others, of those that did.
func SumOf(ctx context.Context, q sqlx.QueryerContext, f Filter) (sums []Sum, err error) {
	const query = `/* payout.SumOf */
		SELECT currency, count(*) AS count, coalesce(sum(amount) FILTER (WHERE status NOT IN ('failed', 'canceled')), sum(amount))::bigint AS amount
		  FROM payout WHERE` + chosen + ` GROUP BY currency ORDER BY currency`
	err = sqlx.SelectContext(ctx, q, &sums, query, f.args()...)
	return sums, err
}

// ByRef returns a payout of an entity by the processor's id, without its members; fault.NotFound if q may see none.
func ByRef(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, ref string) (p Stored, err error) {
	const query = `/* payout.ByRef */ ` + columns + `WHERE entity_id = $1 AND processor = $2 AND payout_ref = $3`
	var found []Stored
	if err := sqlx.SelectContext(ctx, q, &found, query, entity, processorStripe, ref); err != nil {
		return p, err
	}
	if len(found) == 0 {
		return p, fault.New(fault.NotFound, "problem.404.text", nil)
	}
	return found[0], nil
}

// ByRefs returns the payouts that have one of the processor's ids, of an entity or, for uuid.Nil, of any.
func ByRefs(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, refs []string) (found []Stored, err error) {
	const query = `/* payout.ByRefs */ ` + columns + `WHERE ($1::uuid = '00000000-0000-0000-0000-000000000000' OR entity_id = $1)
		AND processor = $2 AND payout_ref = ANY($3) ORDER BY payout_ref`
	err = sqlx.SelectContext(ctx, q, &found, query, entity, processorStripe, pq.Array(refs))
	return found, err
}
