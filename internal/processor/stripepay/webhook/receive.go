package webhook

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// Verify returns the event of a payload that is signed with one of the entity's secrets; else fault.Invalid.
func (in *Inbox) Verify(entityID uuid.UUID, entitySlug string, payload []byte, signature string) (Event, error) {
	h, err := verify(in.Keys, entitySlug, payload, signature, in.Now())
	return Event{entityID, h, payload}, err
}

// Store stores an event, once per entity and event id, and returns after the commit.
func (in *Inbox) Store(ctx context.Context, w Event) error {
	if err := in.store(ctx, w); err != nil {
		return fmt.Errorf("webhook %s: %w", w.ID, err)
	}
	in.Wake()
	return nil
}
