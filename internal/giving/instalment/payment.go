package instalment

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/platform/pg"
)

// Payment is a counted payment of a plan.
type Payment struct {
	PlanID     uuid.UUID `db:"plan_id"`
	N          int       `db:"n"`
	DonationID uuid.UUID `db:"donation_id"`
}

// PaymentsOf returns the counted payments of plans, each plan's in order.
func PaymentsOf(ctx context.Context, q sqlx.QueryerContext, plans []uuid.UUID) ([]Payment, error) {
	const query = `/* instalment.PaymentsOf */
		SELECT plan_id, n, donation_id FROM instalment WHERE plan_id = ANY($1::uuid[]) AND n IS NOT NULL ORDER BY plan_id, n`
	var all []Payment
	err := sqlx.SelectContext(ctx, q, &all, query, pg.UUIDs(plans))
	return all, err
}

// SumOf returns the sum of a plan's payments so far, in minor units.
func SumOf(ctx context.Context, q sqlx.QueryerContext, plan uuid.UUID) (int64, error) {
	paid, err := PaymentsOf(ctx, q, []uuid.UUID{plan})
	if err != nil {
		return 0, err
	}
	donations := make([]uuid.UUID, len(paid))
	for i, in := range paid {
		donations[i] = in.DonationID
	}
	return donation.SumOf(ctx, q, donations)
}

// Counted is what was counted of a plan.
type Counted struct {
	Last  int        `db:"last"`  // number of the last payment; 0: none
	Begun bool       `db:"begun"` // the first payment was counted
	At    *time.Time `db:"at"`    // when the newest invoice of a counted payment was created; nil: none
}

// CountedOf returns what was counted of a plan.
func CountedOf(ctx context.Context, q sqlx.QueryerContext, plan uuid.UUID) (c Counted, err error) {
	const query = `/* instalment.CountedOf */
		SELECT coalesce(max(n), 0) AS last, coalesce(bool_or(n = 1), false) AS begun, max(created_at) FILTER (WHERE n IS NOT NULL) AS at
		  FROM instalment WHERE plan_id = $1`
	err = sqlx.GetContext(ctx, q, &c, query, plan)
	return c, err
}

// Key identifies an invoice.
type Key struct {
	EntityID  uuid.UUID
	InvoiceID string
}

// PlansOf returns the plans of recorded invoices, and those that donations are payments of.
func PlansOf(ctx context.Context, q sqlx.QueryerContext, invoices []Key, donations []uuid.UUID) (plans []uuid.UUID, err error) {
	const query = `/* instalment.PlansOf */
		SELECT plan_id FROM instalment WHERE donation_id = ANY($1::uuid[])
		 UNION SELECT i.plan_id FROM unnest($2::uuid[], $3::text[]) AS b (entity_id, invoice_id)
		         JOIN instalment i ON i.entity_id = b.entity_id AND i.invoice_id = b.invoice_id`
	if len(invoices)+len(donations) == 0 {
		return nil, nil
	}
	rows := pg.NewColumns(2)
	for _, k := range invoices {
		rows.Add(k.EntityID, k.InvoiceID)
	}
	err = sqlx.SelectContext(ctx, q, &plans, query, rows.Args(pg.UUIDs(donations))...)
	return plans, err
}
