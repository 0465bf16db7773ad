package recurring

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/giving/plan"
)

// Events returns the events of a plan, oldest first.
func Events(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) ([]plan.Event, error) {
	const query = `/* recurring.Events */ SELECT id, plan_id, kind, cause, detail, at FROM plan_event WHERE plan_id = $1 ORDER BY at, id`
	var all []plan.Event
	err := sqlx.SelectContext(ctx, q, &all, query, id)
	return all, err
}

// EventByID returns one event.
func EventByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (e plan.Event, err error) {
	const query = `/* recurring.EventByID */ SELECT id, plan_id, kind, cause, detail, at FROM plan_event WHERE id = $1`
	err = sqlx.GetContext(ctx, q, &e, query, id)
	return e, err
}

// hasEventTx reports whether an event of one of the kinds happened to the plan for a cause.
func hasEventTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, cause string, kinds ...string) (found bool, err error) {
	const query = `/* recurring.hasEventTx */ SELECT EXISTS (SELECT 1 FROM plan_event WHERE plan_id = $1 AND cause = $2 AND kind = ANY($3))`
	err = tx.GetContext(ctx, &found, query, p.ID, cause, pq.Array(kinds))
	return found, err
}

// recordEventTx inserts an event. It returns nil if an event of that kind and cause exists.
func (ps Plans) recordEventTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, kind, cause string, d plan.Detail) (*plan.Event, error) {
	const query = `/* recurring.recordEventTx */
		INSERT INTO plan_event (id, plan_id, kind, cause, detail, at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (plan_id, kind, cause) DO NOTHING`
	e := plan.Event{ID: ps.NewID(), PlanID: p.ID, Kind: kind, Cause: cause, Detail: d, At: ps.Now()}
	done, err := tx.ExecContext(ctx, query, e.ID, e.PlanID, e.Kind, e.Cause, e.Detail, e.At)
	if err != nil {
		return nil, err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return nil, err
	}
	return &e, nil
}
