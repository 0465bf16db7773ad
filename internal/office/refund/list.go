package refund

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/money"
)

// Origin says who made a refund.
type Origin string

// The origins.
const (
	ByOffice Origin = "office" // staff ordered it here
	AtStripe Origin = "stripe" // somebody made it in Stripe's dashboard
	ByPlan   Origin = "plan"   // the program: a payment came after the end of its plan
)

// Listed is a refund in the list: an order, or a refund in the books without one.
type Listed struct {
	EntityID    uuid.UUID      `db:"entity_id"`
	DonationID  *uuid.UUID     `db:"donation_id"` // nil: no gift's
	PaymentID   uuid.UUID      `db:"payment_id"`
	OrderID     *uuid.UUID     `db:"order_id"`  // nil: nobody ordered it here
	RefundID    *string        `db:"refund_id"` // nil: the processor has none yet
	Origin      Origin         `db:"origin"`
	AmountMinor int64          `db:"amount"`
	Currency    money.Currency `db:"currency"`
	Reason      *Reason        `db:"reason"`
	Note        *string        `db:"note"`
	RequestedBy *uuid.UUID     `db:"requested_by"`
	State       State          `db:"state"`
	At          time.Time      `db:"at"` // when the processor made it; before that, when it was ordered
	ChangedAt   time.Time      `db:"changed_at"`
	Problem     *string        `db:"problem"`
	Booked      bool           `db:"booked"`
}

// Amount returns what is refunded.
func (l Listed) Amount() money.Amount { return money.New(l.AmountMinor, l.Currency) }

// Filter chooses refunds of a list. Its zero value chooses the newest hundred of all entities.
type Filter struct {
	EntityID   uuid.UUID // uuid.Nil: of all
	DonationID uuid.UUID // uuid.Nil: of all
	Waiting    bool      // only those that are not finished, or wait for staff: not succeeded
	Before     time.Time // older than this; zero: from the newest
	Limit      int       // 0: 100
}

// List returns refunds, the newest first.
func List(ctx context.Context, q sqlx.QueryerContext, f Filter) (all []Listed, err error) {
	const query = `/* refund.List */
		SELECT entity_id, donation_id, payment_id, order_id, refund_id, origin, amount, currency, reason, note, requested_by, state, at, changed_at, problem, booked
		  FROM refund_list WHERE ($1::uuid IS NULL OR entity_id = $1) AND ($2::uuid IS NULL OR donation_id = $2) AND (NOT $3 OR state <> 'succeeded')
		   AND ($4::timestamptz IS NULL OR at < $4) ORDER BY at DESC, payment_id, refund_id LIMIT $5`
	limit := f.Limit
	if limit == 0 {
		limit = 100
	}
	err = sqlx.SelectContext(ctx, q, &all, query, orNull(f.EntityID), orNull(f.DonationID), f.Waiting, timeOrNull(f.Before), limit)
	return all, err
}

func orNull(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
