package recurring

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// NewCard is news that one of Stripe's customers is to be charged by another card.
type NewPaymentMethod struct {
	EntityID             uuid.UUID
	CustomerID, MethodID string
	At                   time.Time
}

// mendingTime is how long a donor may be at Stripe's page for a new card, and clocks differ.
const cardPageTolerance = 24 * time.Hour

// NewCardTx has every plan of the customer that goes on charge the new card, and the bills tried again that the old one did not
// pay. If it was given by a donor's link, which proves their mailbox, the donor's plans under other customers are moved to this
// one. A card that was told of before changes nothing.
func (ps Plans) UsePaymentMethodTx(ctx context.Context, tx *sqlx.Tx, c NewPaymentMethod) error {
	plans, err := ofCustomer(ctx, tx, c.EntityID, c.CustomerID)
	if err != nil {
		return err
	}
	for i := range plans {
		if err := ps.requestTx(ctx, tx, &plans[i], request{Kind: kindCard, Subject: c.MethodID, Detail: Detail{Method: c.MethodID}, RequestedBy: "donor"}); err != nil {
			return err
		}
	}
	others, err := plansToMigrate(ctx, tx, c)
	if err != nil {
		return err
	}
	for i := range others {
		move := request{
			Kind: kindMigrate, Subject: c.CustomerID + " " + c.MethodID, Detail: Detail{Customer: c.CustomerID, Method: c.MethodID}, RequestedBy: "donor",
		}
		if err := ps.requestTx(ctx, tx, &others[i], move); err != nil {
			return err
		}
	}
	return nil
}

// toMove lists the plans that go on, of a donor who went to give a customer a new card, that have another customer.
func plansToMigrate(ctx context.Context, q sqlx.QueryerContext, c NewPaymentMethod) ([]Plan, error) {
	const query = `/* recurring.plansToMigrate */ SELECT ` + planColumns + ` FROM plan
		WHERE entity_id = $1 AND customer_id <> $2 AND subscription_id IS NOT NULL AND status IN ('active', 'paused')
		  AND donor_id IN (SELECT m.donor_id FROM plan m JOIN plan_event e ON e.plan_id = m.id
		                    WHERE m.entity_id = $1 AND m.customer_id = $2 AND e.kind = $3 AND e.detail->>'customer' = $2 AND e.at BETWEEN $4 AND $5)
		ORDER BY id`
	var plans []Plan
	err := sqlx.SelectContext(ctx, q, &plans, query, c.EntityID, c.CustomerID, eventCardPageOpened, c.At.Add(-cardPageTolerance), c.At.Add(cardPageTolerance))
	return plans, err
}
