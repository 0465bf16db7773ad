package stripepay

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/books/org"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/event"
	"konbit/internal/processor/stripebalance"
)

// EventStore is the stored webhook events of Stripe, table stripe_event, as a event.Source.
type EventStore struct{ Stripe *Stripe }

var _ event.Source = EventStore{}

// storedEvent is a row of stripe_event that is not finished.
type storedEvent struct {
	EntityID   uuid.UUID `db:"entity_id"`
	ID         string    `db:"id"`
	Type       string    `db:"type"`
	APIVersion string    `db:"api_version"`
	CreatedAt  time.Time `db:"created_at"`
	Payload    []byte    `db:"payload"`
	Tries      int       `db:"tries"`    // attempts that did not finish it
	Failures   int       `db:"failures"` // those of them that failed
}

// ClaimDueTx is part of event.Source.
func (EventStore) ClaimDueTx(ctx context.Context, tx *sqlx.Tx, n int) ([]event.Event, error) {
	const query = `/* stripepay.ClaimDueTx */
		SELECT entity_id, id, type, api_version, created_at, payload, tries, failures FROM stripe_event
		 WHERE state IN ('new', 'parked') AND due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED`
	var stored []storedEvent
	if err := tx.SelectContext(ctx, &stored, query, n); err != nil {
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
	const query = `/* stripepay.ClaimTx */ SELECT id FROM stripe_event
		WHERE entity_id = $1 AND id = $2 AND state IN ('new', 'parked') FOR UPDATE SKIP LOCKED`
	var claimed []string
	err := tx.SelectContext(ctx, &claimed, query, e.EntityID, e.ID)
	return len(claimed) > 0, err
}

// FinishTx is part of event.Source.
func (EventStore) FinishTx(ctx context.Context, tx *sqlx.Tx, events []event.Event, results []event.Result) error {
	const query = `/* stripepay.FinishTx */
		UPDATE stripe_event e
		   SET state = CASE WHEN r.failed AND e.failures + 1 >= $7 THEN 'set_aside' ELSE r.state END, -- another process may have failed too
		       reason = nullif(r.reason, ''), tries = e.tries + CASE WHEN r.state = 'done' THEN 0 ELSE 1 END,
		       failures = e.failures + r.failed::int,
		       due_at = now() + make_interval(secs => r.wait / 1000.0), done_at = CASE WHEN r.state = 'done' THEN now() END
		  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::boolean[])
		       AS r (entity_id, id, state, reason, wait, failed)
		 WHERE e.entity_id = r.entity_id AND e.id = r.id AND e.state IN ('new', 'parked')`
	if len(events) == 0 {
		return nil
	}
	n := len(events)
	entities, ids, states, reasons, waits := make([]uuid.UUID, n), make([]string, n), make([]string, n), make([]string, n), make([]int64, n)
	failed := make([]bool, n)
	for i, e := range events {
		entities[i], ids[i], states[i], reasons[i] = e.EntityID, e.ID, string(results[i].State), results[i].Reason
		waits[i], failed[i] = results[i].Delay.Milliseconds(), results[i].Failed
	}
	_, err := tx.ExecContext(ctx, query, pg.UUIDs(entities), pq.Array(ids), pq.Array(states), pq.Array(reasons), pq.Array(waits), pq.Array(failed),
		event.MaxFailures)
	return err
}

// Fetch is part of event.Source. It reads with the pinned version of the API.
func (s EventStore) Fetch(ctx context.Context, entity org.LegalEntity, e event.Event) (event.Fact, error) {
	return s.Stripe.fetchFact(ctx, entity, e)
}

// RequestImportTx is part of event.Source.
func (EventStore) RequestImportTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID) error {
	return stripebalance.RequestImportTx(ctx, tx, entity)
}

// unpark makes every parked event due now.
func unpark(ctx context.Context, db *sqlx.DB) error {
	const query = `/* stripepay.unpark */ UPDATE stripe_event SET due_at = now() WHERE state = 'parked' AND due_at > now()`
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query)
		return err
	})
}
