package stripepay

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// Webhook is a webhook whose signature was verified. Only Verify makes one.
type Webhook = verifiedEvent

// Verify returns the webhook of a payload that is signed with one of the entity's secrets; else fault.Invalid.
func (in *Inbox) Verify(entityID uuid.UUID, entitySlug string, payload []byte, signature string) (Webhook, error) {
	h, err := in.Stripe.verify(entitySlug, payload, signature, in.Now())
	return verifiedEvent{entityID, h, payload}, err
}

// Store stores a webhook, once per entity and event id, and returns after the commit.
func (in *Inbox) Store(ctx context.Context, w Webhook) error {
	if err := in.store(ctx, w); err != nil {
		return fmt.Errorf("webhook %s: %w", w.ID, err)
	}
	in.Wake()
	return nil
}
