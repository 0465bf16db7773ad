package recurring

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/instalment"
	"konbit/internal/giving/plan"
)

const (
	// jobOverdueAfter is how long a request or a sync may wait before its job is considered lost.
	jobOverdueAfter = 10 * time.Minute
	// chargeOverdueAfter is how long after its date a charge is considered late.
	chargeOverdueAfter = 4 * time.Hour
)

// RecoverLostJobs repeats what a lost job or a lost webhook event would have done:
//
//   - it executes requests that wait
//   - it requests the schedules that plans of N payments lack
//   - it syncs plans whose sync is overdue, or whose charge is late
//
// It returns how many requests and plans it processed.
func (ps Plans) RecoverLostJobs(ctx context.Context) (int, error) {
	requests, requestErr := ps.executeWaiting(ctx)
	schedules, scheduleErr := ps.requestSchedules(ctx)
	syncs, syncErr := ps.syncOverdue(ctx)
	return requests + schedules + syncs, errors.Join(requestErr, scheduleErr, syncErr)
}

func (ps Plans) executeWaiting(ctx context.Context) (int, error) {
	const query = `/* recurring.executeWaiting */
		SELECT id FROM plan_request WHERE carried_at IS NULL AND refused IS NULL AND asked_at < $1 ORDER BY random() LIMIT $2`
	return ps.forEachID(ctx, query, func(id uuid.UUID) error { return ps.ExecuteRequest(ctx, id) }, ps.Now().Add(-jobOverdueAfter), batchSize)
}

// requestSchedules requests the schedules that running plans of N payments lack. A plan whose dates changed, or that
// was migrated, gets its schedule after its next payment and is left out until then.
func (ps Plans) requestSchedules(ctx context.Context) (int, error) {
	const query = `/* recurring.requestSchedules */
		SELECT id FROM plan p WHERE status IN ('active', 'paused') AND total IS NOT NULL AND schedule_id IS NULL AND paid < total
		   AND subscription_id IS NOT NULL AND begun_at < $1 AND ends_at IS NULL
		   AND NOT EXISTS (SELECT 1 FROM plan_request r WHERE r.plan_id = p.id AND r.kind = 'schedule' AND r.carried_at IS NULL AND r.refused IS NULL)
		 ORDER BY random() LIMIT $2`
	const moved = `/* recurring.requestSchedules */
		SELECT EXISTS (SELECT 1 FROM plan_request WHERE plan_id = $1 AND (kind = 'change' AND (detail->>'repaced')::boolean OR kind = 'move') AND asked_at > $2)`
	now := ps.Now()
	return ps.forEachPlan(ctx, query, func(tx *sqlx.Tx, p *plan.Plan) error {
		counted, err := instalment.CountedOf(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		var later bool
		if err := tx.GetContext(ctx, &later, moved, p.ID, counted.At); err != nil || later {
			return err
		}
		missing := "missing " + now.UTC().Format(time.DateOnly)
		return ps.requestTx(ctx, tx, p, plan.Request{Kind: plan.KindSchedule, Subject: missing, RequestedBy: plan.ByKonbit})
	}, now.Add(-jobOverdueAfter), batchSize)
}

func (ps Plans) syncOverdue(ctx context.Context) (int, error) {
	const query = `/* recurring.syncOverdue */
		SELECT id FROM plan WHERE subscription_id IS NOT NULL AND ended_at IS NULL AND (look_due < $1 OR look_due IS NULL AND next_at < $2)
		 ORDER BY random() LIMIT $3`
	now := ps.Now()
	return ps.forEachPlan(ctx, query, func(tx *sqlx.Tx, p *plan.Plan) error {
		p.SyncDue = nil // enqueue the job again: it may be lost
		return ps.scheduleSyncTx(ctx, tx, p)
	}, now.Add(-jobOverdueAfter), now.Add(-chargeOverdueAfter), batchSize)
}
