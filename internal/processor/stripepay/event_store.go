package stripepay

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/processor/event"
	"konbit/internal/processor/stripebalance"
	"konbit/internal/processor/stripepay/webhook"
)

// EventStore is the stored webhook events of Stripe as an event.Source.
type EventStore struct{ Stripe *Stripe }

var _ event.Source = EventStore{}

// ClaimDueTx is part of event.Source.
func (EventStore) ClaimDueTx(ctx context.Context, tx *sqlx.Tx, n int) ([]event.Event, error) {
	stored, err := webhook.ClaimDueTx(ctx, tx, n)
	if err != nil {
		return nil, err
	}
	events := make([]event.Event, len(stored))
	for i, s := range stored {
		events[i] = event.Event{
			EntityID: s.EntityID, ID: s.ID, Type: s.Type, CreatedAt: s.CreatedAt, Attempts: s.Tries, Failures: s.Failures,
		}
		events[i].Fact, events[i].Unreadable = translateEvent(s)
	}
	return events, nil
}

// ClaimTx is part of event.Source.
func (EventStore) ClaimTx(ctx context.Context, tx *sqlx.Tx, e event.Event) (bool, error) {
	return webhook.ClaimTx(ctx, tx, e.EntityID, e.ID)
}

// FinishTx is part of event.Source.
func (EventStore) FinishTx(ctx context.Context, tx *sqlx.Tx, events []event.Event, results []event.Result) error {
	return webhook.FinishTx(ctx, tx, events, results)
}

// Fetch is part of event.Source. It reads with the pinned version of the API.
func (s EventStore) Fetch(ctx context.Context, entity org.LegalEntity, e event.Event) (event.Fact, error) {
	return s.Stripe.fetchFact(ctx, entity, e)
}

// RequestImportTx is part of event.Source.
func (EventStore) RequestImportTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID) error {
	return stripebalance.RequestImportTx(ctx, tx, entity)
}
