package recurring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/billing"
	"konbit/internal/giving/plan"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

// Plans is the service for plans.
type Plans struct {
	DB      *sqlx.DB
	Queue   *jobs.Queue
	Billing billing.Subscriptions
	Now     func() time.Time
	NewID   func() uuid.UUID
	NewRef  func() string // 128 random bits as text
}

// Register registers the jobs of plans. Package mail registers the job that sends emails.
func (ps Plans) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job plan.RequestJob) error { return ps.ExecuteRequest(ctx, job.RequestID) })
	jobs.Handle(h, func(ctx context.Context, job plan.SyncJob) error { return ps.SyncPlan(ctx, job.PlanID) })
	jobs.Handle(h, ps.FollowDispute)
}

// batchSize is how many plans one run of a periodic task processes.
const batchSize = 200

// forEachPlan locks each plan that a query returns and calls do, in a transaction for each; see forEachID.
func (ps Plans) forEachPlan(ctx context.Context, query string, do func(tx *sqlx.Tx, p *plan.Plan) error, args ...any) (int, error) {
	return ps.forEachID(ctx, query, func(id uuid.UUID) error { return ps.withPlan(ctx, id, do) }, args...)
}

// forEachSynced is forEachPlan for plans whose subscription is read first.
func (ps Plans) forEachSynced(ctx context.Context, query string, do func(tx *sqlx.Tx, p *plan.Plan) error, args ...any) (int, error) {
	return ps.forEachID(ctx, query, func(id uuid.UUID) error {
		err := ps.scheduleSync(ctx, id)
		if err == nil {
			err = ps.SyncPlan(ctx, id)
		}
		if err != nil {
			return err
		}
		return ps.withPlan(ctx, id, do)
	}, args...)
}

// forEachID calls do for each id that a query returns. It passes over an id whose call fails, until ctx ends, so that one
// keeps no other from its turn; the queries return at most batchSize ids in any order. It returns how many calls did not
// fail, and the errors of the others.
func (ps Plans) forEachID(ctx context.Context, query string, do func(id uuid.UUID) error, args ...any) (done int, err error) {
	var ids []uuid.UUID
	if err := sqlx.SelectContext(ctx, ps.DB, &ids, query, args...); err != nil {
		return 0, err
	}
	var failed []error
	for _, id := range ids {
		if err := do(id); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", id, err))
		} else {
			done++
		}
		if ctx.Err() != nil {
			break
		}
	}
	return done, errors.Join(failed...)
}

// withPlan locks a plan and calls do, in a transaction.
func (ps Plans) withPlan(ctx context.Context, id uuid.UUID, do func(tx *sqlx.Tx, p *plan.Plan) error) error {
	return pg.InTx(ctx, ps.DB, func(tx *sqlx.Tx) error {
		p, err := lockPlanTx(ctx, tx, id)
		if err != nil {
			return err
		}
		return do(tx, p)
	})
}
