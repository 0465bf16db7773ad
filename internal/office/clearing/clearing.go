// Package clearing compares clearing (account 1010) with the movements and the balance at Stripe, month by month, as package bank does with banks.
// It only reads.
package clearing

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/money"
)

// Month compares the movements at Stripe with clearing (1010) at the end of a month. All amounts are minor units:
//
//	Book = Closing + Unread + Ahead + Difference
type Month struct {
	Currency money.Currency
	Opening  int64 // what the movements before the month came to
	Kinds    []Kind
	Closing  int64
	Book     int64 // 1010

	Unread     int64      // at Stripe from before the first import
	Ahead      int64      // gifts that are booked and whose movement is not imported yet
	Held       *int64     // what Stripe had when its balance was read last; nil: never
	HeldAt     *time.Time // when
	Difference int64
}

// Kind is the movements of one type in the month.
type Kind struct {
	Type   string `db:"type"` // as Stripe names it
	Count  int    `db:"count"`
	Amount int64  `db:"amount"` // after fees
}

// MonthOf returns the comparison for a month of an entity; first is its first day. Days are those of the zone. q sees one moment.
func MonthOf(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, currency money.Currency, zone *time.Location,
	first ledger.Date) (m Month, err error) {
	m.Currency = currency
	from, next := first.In(zone), first.FirstOfMonth(1)
	until := next.In(zone)
	const before = `/* clearing.MonthOf */ SELECT coalesce(sum(net), 0)::bigint FROM clearing_movement WHERE entity_id = $1 AND currency = $2 AND created_at < $3`
	const kinds = `/* clearing.MonthOf */ SELECT type, count(*) AS count, sum(net)::bigint AS amount FROM clearing_movement
		WHERE entity_id = $1 AND currency = $2 AND created_at >= $3 AND created_at < $4 GROUP BY type ORDER BY type`
	const ahead = `/* clearing.MonthOf */ SELECT coalesce(sum(amount), 0)::bigint FROM clearing_ahead WHERE entity_id = $1 AND entry_date < $2`
	const unread = `/* clearing.MonthOf */ SELECT at, held, amount FROM clearing_unread WHERE entity_id = $1`
	if err := sqlx.GetContext(ctx, q, &m.Opening, before, entity, currency, from); err != nil {
		return m, err
	}
	if err := sqlx.SelectContext(ctx, q, &m.Kinds, kinds, entity, currency, from, until); err != nil {
		return m, err
	}
	if err := sqlx.GetContext(ctx, q, &m.Ahead, ahead, entity, next.String()); err != nil {
		return m, err
	}
	var observed []struct {
		At     time.Time `db:"at"`
		Held   int64     `db:"held"`
		Amount int64     `db:"amount"`
	}
	if err := sqlx.SelectContext(ctx, q, &observed, unread, entity); err != nil {
		return m, err
	}
	if len(observed) > 0 {
		m.Unread, m.Held, m.HeldAt = observed[0].Amount, &observed[0].Held, &observed[0].At
	}
	sums, err := ledger.SumsByMonth(ctx, q, ledger.Months{EntityID: entity, From: ledger.Date{Year: 2000, Month: time.January, Day: 1}, Until: next,
		Accounts: []ledger.Account{ledger.StripeClearing}})
	for _, s := range sums {
		m.Book += s.Amount
	}
	m.Closing = m.Opening
	for _, k := range m.Kinds {
		m.Closing += k.Amount
	}
	m.Difference = m.Book - m.Closing - m.Unread - m.Ahead
	return m, err
}
