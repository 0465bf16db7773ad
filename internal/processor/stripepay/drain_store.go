package stripepay

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/pg"
)

// result is where an event goes.
type result struct {
	state, reason string
	wait          time.Duration
	failed        bool // counts towards setting the event aside
}

var done = result{state: "done"}

func parked(reason string, wait time.Duration) result {
	return result{state: "parked", reason: reason, wait: wait}
}

const eventColumns = `entity_id, id, type, api_version, created_at, payload, tries, failures`

// dueTx takes up to n waiting events that nobody else works on, oldest first.
func dueTx(ctx context.Context, tx *sqlx.Tx, n int) (events []event, err error) {
	const query = `/* stripepay.dueTx */ SELECT ` + eventColumns + ` FROM stripe_event
		WHERE state IN ('new', 'parked') AND due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED`
	err = tx.SelectContext(ctx, &events, query, n)
	return events, err
}

// claimTx takes one event, if it still waits and nobody works on it.
func claimTx(ctx context.Context, tx *sqlx.Tx, e event) (bool, error) {
	const query = `/* stripepay.claimTx */ SELECT ` + eventColumns + ` FROM stripe_event
		WHERE entity_id = $1 AND id = $2 AND state IN ('new', 'parked') FOR UPDATE SKIP LOCKED`
	var mine []event
	err := tx.SelectContext(ctx, &mine, query, e.EntityID, e.ID)
	return len(mine) > 0, err
}

func finishTx(ctx context.Context, tx *sqlx.Tx, events []event, results []result) error {
	const query = `/* stripepay.finishTx */
		UPDATE stripe_event e
		   SET state = CASE WHEN r.failed AND e.failures + 1 >= $7 THEN 'set_aside' ELSE r.state END, -- it may have failed elsewhere meanwhile
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
		entities[i], ids[i], states[i], reasons[i] = e.EntityID, e.ID, results[i].state, results[i].reason
		waits[i], failed[i] = results[i].wait.Milliseconds(), results[i].failed
	}
	_, err := tx.ExecContext(ctx, query, pg.UUIDs(entities), pq.Array(ids), pq.Array(states), pq.Array(reasons), pq.Array(waits), pq.Array(failed), maxFailures)
	return err
}

// unpark lets every parked event's time come.
func unpark(ctx context.Context, db *sqlx.DB) error {
	const query = `/* stripepay.unpark */ UPDATE stripe_event SET due_at = now() WHERE state = 'parked' AND due_at > now()`
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query)
		return err
	})
}
