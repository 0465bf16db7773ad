package recurring

import (
	"context"
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
	jobs.Handle(h, func(ctx context.Context, job RequestJob) error { return ps.ExecuteRequest(ctx, job.RequestID) })
	jobs.Handle(h, func(ctx context.Context, job SyncJob) error { return ps.SyncPlan(ctx, job.PlanID) })
}

// batchSize is how many plans one run of a periodic task processes.
const batchSize = 200

// forEachPlan locks each plan that a query returns and calls do, in a transaction for each. It returns how many plans
// there were.
func (ps Plans) forEachPlan(ctx context.Context, query string, do func(tx *sqlx.Tx, p *plan.Plan) error, args ...any) (int, error) {
	var ids []uuid.UUID
	if err := sqlx.SelectContext(ctx, ps.DB, &ids, query, args...); err != nil {
		return 0, err
	}
	for _, id := range ids {
		err := pg.InTx(ctx, ps.DB, func(tx *sqlx.Tx) error {
			p, err := lockPlanTx(ctx, tx, id)
			if err != nil {
				return err
			}
			return do(tx, p)
		})
		if err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}
