package recurring

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// NewCard is news that one of Stripe's customers is to be charged by another card.
type NewCard struct {
	EntityID           uuid.UUID
	CustomerID, Method string
}

// NewCardTx has every plan of the customer that goes on charge the new card, and the bills tried again that the old one did not
// pay. A card that was told of before changes nothing.
func (k Keeper) NewCardTx(ctx context.Context, tx *sqlx.Tx, c NewCard) error {
	plans, err := ofCustomer(ctx, tx, c.EntityID, c.CustomerID)
	if err != nil {
		return err
	}
	for i := range plans {
		if err := k.askTx(ctx, tx, &plans[i], request{Kind: kindCard, Subject: c.Method, Detail: Detail{Method: c.Method}, By: "donor"}); err != nil {
			return err
		}
	}
	return nil
}
