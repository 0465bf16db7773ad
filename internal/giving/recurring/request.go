package recurring

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/giving/plan"
	"konbit/internal/platform/pg"
)

const requestColumns = `id, plan_id, kind, subject, detail, asked_by, asked_at, tries, carried_at, refused`

// requestTx inserts a request and enqueues its job. It does nothing if the plan has a request of that kind and subject.
func (ps Plans) requestTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r plan.Request) error {
	_, err := ps.insertRequestTx(ctx, tx, p, r)
	return err
}

func (ps Plans) insertRequestTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r plan.Request) (plan.Request, error) {
	const query = `/* recurring.insertRequestTx */
		INSERT INTO plan_request (id, plan_id, kind, subject, detail, asked_by, asked_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (plan_id, kind, subject) DO NOTHING`
	r.ID, r.PlanID, r.RequestedAt = ps.NewID(), p.ID, ps.Now()
	done, err := tx.ExecContext(ctx, query, r.ID, r.PlanID, r.Kind, r.Subject, r.Detail, r.RequestedBy, r.RequestedAt)
	if err != nil {
		return r, err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return r, err
	}
	return r, ps.Queue.EnqueueTx(ctx, tx, plan.RequestJob{RequestID: r.ID})
}

func requestByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (r plan.Request, err error) {
	const query = `/* recurring.requestByID */ SELECT ` + requestColumns + ` FROM plan_request WHERE id = $1`
	err = sqlx.GetContext(ctx, q, &r, query, id)
	return r, err
}

// recordAttempt counts a failed attempt. refused is why the request cannot be executed; nil: it is tried again.
func (ps Plans) recordAttempt(ctx context.Context, r plan.Request, refused error) error {
	const query = `/* recurring.recordAttempt */ UPDATE plan_request SET tries = tries + 1, refused = $2 WHERE id = $1 AND carried_at IS NULL`
	var reason *string
	if refused != nil {
		text := refused.Error()
		reason = &text
	}
	ctx = context.WithoutCancel(ctx)
	return pg.InTx(ctx, ps.DB, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query, r.ID, reason)
		return err
	})
}

// markExecutedTx records that a request was executed. It returns false if it was executed or refused before.
func markExecutedTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, at time.Time) (bool, error) {
	const query = `/* recurring.markExecutedTx */ UPDATE plan_request SET carried_at = $2 WHERE id = $1 AND carried_at IS NULL AND refused IS NULL`
	done, err := tx.ExecContext(ctx, query, id, at)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

// isWaiting reports whether a request of one of the kinds is not done.
func isWaiting(ctx context.Context, q sqlx.QueryerContext, plan uuid.UUID, kinds ...string) (waiting bool, err error) {
	const query = `/* recurring.isWaiting */
		SELECT EXISTS (SELECT 1 FROM plan_request WHERE plan_id = $1 AND kind = ANY($2) AND carried_at IS NULL AND refused IS NULL)`
	err = sqlx.GetContext(ctx, q, &waiting, query, plan, pq.Array(kinds))
	return waiting, err
}

// IsChangeWaiting reports whether a request that changes what a plan charges, or when, is not done.
func IsChangeWaiting(ctx context.Context, q sqlx.QueryerContext, of uuid.UUID) (bool, error) {
	return isWaiting(ctx, q, of, plan.KindChange, plan.KindPause, plan.KindSkip, plan.KindResume)
}

// isOver reports whether a plan has ended, or its donor's request to end it waits, whose call may have reached Stripe.
func (ps Plans) isOver(ctx context.Context, plan uuid.UUID) (over bool, err error) {
	const query = `/* recurring.isOver */ SELECT ended_at IS NOT NULL OR EXISTS (
		SELECT 1 FROM plan_request WHERE plan_id = p.id AND kind = 'cancel' AND carried_at IS NULL AND refused IS NULL) FROM plan p WHERE id = $1`
	err = sqlx.GetContext(ctx, ps.DB, &over, query, plan)
	return over, err
}

// waitingCancelTx returns the donor's request to end the plan that is not done; nil if there is none. Its call may have
// reached Stripe although no answer came back.
func waitingCancelTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan) (*plan.Request, error) {
	const query = `/* recurring.waitingCancelTx */ SELECT ` + requestColumns + ` FROM plan_request
		WHERE plan_id = $1 AND kind = 'cancel' AND carried_at IS NULL AND refused IS NULL ORDER BY asked_at, id LIMIT 1`
	var rows []plan.Request
	if err := tx.SelectContext(ctx, &rows, query, p.ID); err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// mustWait reports whether a request has to wait for an earlier one that is not done:
//
//	any request but a refund                  waits for a migration
//	a migration                               waits for every request that changes what is charged
//	a change                                  waits for a change: the one that was requested last counts
func (ps Plans) mustWait(ctx context.Context, r plan.Request) (bool, error) {
	const query = `/* recurring.mustWait */
		SELECT EXISTS (SELECT 1 FROM plan_request q WHERE q.plan_id = $1 AND q.carried_at IS NULL AND q.refused IS NULL AND (q.asked_at, q.id) < ($2, $3)
		   AND ($4 <> 'refund' AND q.kind = 'move' OR $4 = 'move' AND q.kind NOT IN ('schedule', 'refund', 'rest') OR $4 = 'change' AND q.kind = 'change'))`
	var waits bool
	err := sqlx.GetContext(ctx, ps.DB, &waits, query, r.PlanID, r.RequestedAt, r.ID, r.Kind)
	return waits, err
}
