package recurring

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/plan"
)

// NewPaymentMethod says that a customer at Stripe has a new card.
type NewPaymentMethod struct {
	EntityID             uuid.UUID
	CustomerID, MethodID string
	At                   time.Time
}

// cardPageTolerance is how far the time of a new card may differ from the time when the donor opened Stripe's page,
// because donors leave the page open and clocks differ.
const cardPageTolerance = 24 * time.Hour

// UsePaymentMethodTx requests that the customer's running plans charge the new card, and that unpaid invoices are tried
// again. If the donor opened Stripe's page by a link in an email, which proves the address, it also requests the
// migration of the donor's plans under other customers to this one. A card that is known already changes nothing.
func (ps Plans) UsePaymentMethodTx(ctx context.Context, tx *sqlx.Tx, c NewPaymentMethod) error {
	plans, err := ofCustomer(ctx, tx, c.EntityID, c.CustomerID)
	if err != nil {
		return err
	}
	for i := range plans {
		if err := ps.requestTx(ctx, tx, &plans[i], plan.Request{Kind: plan.KindCard, Subject: c.MethodID, Detail: plan.Detail{Method: c.MethodID},
			RequestedBy: plan.ByDonor}); err != nil {
			return err
		}
	}
	others, err := plansToMigrate(ctx, tx, c)
	if err != nil {
		return err
	}
	for i := range others {
		move := plan.Request{
			Kind: plan.KindMigrate, Subject: c.CustomerID + " " + c.MethodID, Detail: plan.Detail{Customer: c.CustomerID, Method: c.MethodID}, RequestedBy: plan.ByDonor,
		}
		if err := ps.requestTx(ctx, tx, &others[i], move); err != nil {
			return err
		}
	}
	return nil
}

// CardChange says that the bank or a person changed a saved card of a customer at Stripe: its date, or its number.
type CardChange struct {
	EntityID   uuid.UUID
	CustomerID string
}

// CardChangedTx schedules a sync of the customer's running plans, which reads the card.
func (ps Plans) CardChangedTx(ctx context.Context, tx *sqlx.Tx, c CardChange) error {
	plans, err := ofCustomer(ctx, tx, c.EntityID, c.CustomerID)
	if err != nil {
		return err
	}
	for _, p := range plans {
		locked, err := lockPlanTx(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		if err := ps.scheduleSyncTx(ctx, tx, locked); err != nil {
			return err
		}
	}
	return nil
}

// plansToMigrate returns the running plans under other customers of a donor who opened Stripe's page for this customer.
// A plan whose end is set at Stripe is not among them, because a new subscription would not end; nor is one of which a
// payment is disputed, because its unpaid invoice would be charged.
func plansToMigrate(ctx context.Context, q sqlx.QueryerContext, c NewPaymentMethod) ([]plan.Plan, error) {
	const query = `/* recurring.plansToMigrate */ SELECT ` + planColumns + ` FROM plan
		WHERE entity_id = $1 AND customer_id <> $2 AND subscription_id IS NOT NULL AND status IN ('active', 'paused')
		  AND ends_at IS NULL AND disputed_since IS NULL
		  AND donor_id IN (SELECT m.donor_id FROM plan m JOIN plan_event e ON e.plan_id = m.id
		                    WHERE m.entity_id = $1 AND m.customer_id = $2 AND e.kind = $3 AND e.detail->>'customer' = $2 AND e.at BETWEEN $4 AND $5)
		ORDER BY id`
	var plans []plan.Plan
	err := sqlx.SelectContext(ctx, q, &plans, query, c.EntityID, c.CustomerID, plan.EventCardPageOpened, c.At.Add(-cardPageTolerance), c.At.Add(cardPageTolerance))
	return plans, err
}
