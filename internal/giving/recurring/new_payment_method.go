package recurring

import (
	"context"
	"database/sql"
	"errors"
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

// cardPageTolerance is how far the time of a new card may differ from the time when the donor opened Stripe's page.
const cardPageTolerance = 24 * time.Hour

// UsePaymentMethodTx requests that the customer's running plans charge the new card, and that unpaid invoices are tried
// again. If the donor opened Stripe's page by a link in an email, which proves the address, it also requests the
// migration of the donor's plans under other customers to this one. A card that is known already changes nothing.
//
// A customer has plans of two donors if one plan moved to its right owner. The card charges those of the donor who opened
// the page; if nobody did, none.
func (ps Plans) UsePaymentMethodTx(ctx context.Context, tx *sqlx.Tx, c NewPaymentMethod) error {
	plans, err := OfCustomer(ctx, tx, c.EntityID, c.CustomerID)
	if err != nil {
		return err
	}
	donor, _, err := openedCardPage(ctx, tx, c)
	if err != nil {
		return err
	}
	plans = plan.OfCard(plans, donor)
	for i := range plans {
		if err := ps.requestTx(ctx, tx, &plans[i], plan.Request{Kind: plan.KindCard, Subject: c.MethodID, Detail: plan.Detail{Method: c.MethodID},
			RequestedBy: plan.ByDonor}); err != nil {
			return err
		}
	}
	others, err := migratedBy(ctx, tx, c)
	if err != nil {
		return err
	}
	for i := range others {
		move := plan.Request{
			Kind: plan.KindMigrate, Subject: c.CustomerID + " " + c.MethodID, RequestedBy: plan.ByDonor,
			Detail: plan.Detail{Customer: c.CustomerID, Method: c.MethodID},
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
	plans, err := OfCustomer(ctx, tx, c.EntityID, c.CustomerID)
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

// openedCardPage returns the donor who opened Stripe's page for a new card last; uuid.Nil if nobody did at that time. owns
// says that the plan of whose customer the page is still belongs to that donor. Older events have no donor but the plan's.
func openedCardPage(ctx context.Context, q sqlx.QueryerContext, c NewPaymentMethod) (donor uuid.UUID, owns bool, err error) {
	const query = `/* recurring.openedCardPage */
		SELECT coalesce((e.detail->>'donor')::uuid, m.donor_id) AS donor, coalesce(e.detail->>'donor' = m.donor_id::text, true) AS owns
		  FROM plan m JOIN plan_event e ON e.plan_id = m.id
		 WHERE m.entity_id = $1 AND m.customer_id = $2 AND e.kind = $3 AND e.detail->>'customer' = $2 AND e.at BETWEEN $4 AND $5 ORDER BY e.at DESC, e.id LIMIT 1`
	err = q.QueryRowxContext(ctx, query, c.EntityID, c.CustomerID, plan.EventCardPageOpened, c.At.Add(-cardPageTolerance), c.At.Add(cardPageTolerance)).
		Scan(&donor, &owns)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return donor, owns, err
}

// migratedBy returns the plans that are migrated to the customer of a new card.
func migratedBy(ctx context.Context, q sqlx.QueryerContext, c NewPaymentMethod) ([]plan.Plan, error) {
	donor, owns, err := openedCardPage(ctx, q, c)
	if err != nil || !owns {
		return nil, err
	}
	return plansToMigrate(ctx, q, c, donor)
}

// plansToMigrate returns a donor's running plans under other customers than the one with the new card, except those that
// Plan.NewCardUse leaves with their customer.
func plansToMigrate(ctx context.Context, q sqlx.QueryerContext, c NewPaymentMethod, donor uuid.UUID) ([]plan.Plan, error) {
	const query = `/* recurring.plansToMigrate */ SELECT ` + planColumns + ` FROM plan
		WHERE entity_id = $1 AND customer_id <> $2 AND subscription_id IS NOT NULL AND status IN ('active', 'paused')
		  AND ends_at IS NULL AND disputed_since IS NULL AND donor_id = $3
		ORDER BY id`
	var plans []plan.Plan
	err := sqlx.SelectContext(ctx, q, &plans, query, c.EntityID, c.CustomerID, donor)
	return plans, err
}
