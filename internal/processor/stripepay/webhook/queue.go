package webhook

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
	"konbit/internal/processor/event"
)

// Stored is a row of stripe_event that is not finished.
type Stored struct {
	EntityID   uuid.UUID `db:"entity_id"`
	ID         string    `db:"id"`
	Type       string    `db:"type"`
	APIVersion string    `db:"api_version"`
	CreatedAt  time.Time `db:"created_at"`
	Payload    []byte    `db:"payload"`
	Tries      int       `db:"tries"`    // attempts that did not finish it
	Failures   int       `db:"failures"` // those of them that failed
}

// ClaimDueTx locks up to n events that are due, the ones due longest first, without those that others have locked, and
// returns them.
func ClaimDueTx(ctx context.Context, tx *sqlx.Tx, n int) (events []Stored, err error) {
	const query = `/* webhook.ClaimDueTx */
		SELECT entity_id, id, type, api_version, created_at, payload, tries, failures FROM stripe_event
		 WHERE state IN ('new', 'parked') AND due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED`
	err = tx.SelectContext(ctx, &events, query, n)
	return events, err
}

// ClaimTx locks an event. It returns false if the event is finished or another transaction has locked it.
func ClaimTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, id string) (bool, error) {
	const query = `/* webhook.ClaimTx */ SELECT id FROM stripe_event
		WHERE entity_id = $1 AND id = $2 AND state IN ('new', 'parked') FOR UPDATE SKIP LOCKED`
	var claimed []string
	err := tx.SelectContext(ctx, &claimed, query, entity, id)
	return len(claimed) > 0, err
}

// FinishTx stores the results of events, each at the same index.
func FinishTx(ctx context.Context, tx *sqlx.Tx, events []event.Event, results []event.Result) error {
	const query = `/* webhook.FinishTx */
		UPDATE stripe_event e
		   SET state = CASE WHEN r.failed AND e.failures + 1 >= $1 THEN 'set_aside' ELSE r.state END, -- another process may have failed too
		       reason = nullif(r.reason, ''), tries = e.tries + CASE WHEN r.state = 'done' THEN 0 ELSE 1 END,
		       failures = e.failures + r.failed::int,
		       due_at = now() + make_interval(secs => r.wait / 1000.0), done_at = CASE WHEN r.state = 'done' THEN now() END
		  FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::boolean[])
		       AS r (entity_id, id, state, reason, wait, failed)
		 WHERE e.entity_id = r.entity_id AND e.id = r.id AND e.state IN ('new', 'parked')`
	if len(events) == 0 {
		return nil
	}
	rows := pg.NewColumns(6)
	for i, e := range events {
		r := results[i]
		rows.Add(e.EntityID, e.ID, string(r.State), r.Reason, r.Delay.Milliseconds(), r.Failed)
	}
	_, err := tx.ExecContext(ctx, query, rows.Args(event.MaxFailures)...)
	return err
}

// UnparkWaitingForMoney makes due now the events of an entity that wait until the import has booked their money. It leaves
// those that a worker has locked.
func UnparkWaitingForMoney(ctx context.Context, db *sqlx.DB, entity uuid.UUID) error {
	const query = `/* webhook.UnparkWaitingForMoney */
		WITH waiting AS MATERIALIZED (
		    SELECT id FROM stripe_event
		     WHERE entity_id = $1 AND state = 'parked' AND reason = $2 AND due_at > now() FOR UPDATE SKIP LOCKED)
		UPDATE stripe_event e SET due_at = now() FROM waiting w WHERE e.entity_id = $1 AND e.id = w.id`
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query, entity, event.WaitsForMoney)
		return err
	})
}

// Unpark makes every parked event due now.
func Unpark(ctx context.Context, db *sqlx.DB) error {
	const query = `/* webhook.Unpark */ UPDATE stripe_event SET due_at = now() WHERE state = 'parked' AND due_at > now()`
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query)
		return err
	})
}
