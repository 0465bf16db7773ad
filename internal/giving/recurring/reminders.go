package recurring

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

const (
	upcomingNotice = 7 * 24 * time.Hour
	// overdueLook is how long a plan may wait to be read before its job is taken for lost.
	jobOverdueAfter = 10 * time.Minute
	// dueAtOnce bounds one round of a chore.
	batchSize = 200
)

// Remind orders the letters that go ahead of time: of a charge a week off, where charges are rare (quarterly and yearly), and of
// a card that ends within a month while it is still to be charged. Each goes once, however often this is called. It answers how many
// plans were due.
func (ps Plans) QueueReminders(ctx context.Context) (int, error) {
	const upcoming = `/* recurring.QueueReminders */
		SELECT id FROM plan WHERE status = 'active' AND frequency IN ('quarterly', 'yearly') AND next_at > $1 AND next_at <= $2
		   AND NOT EXISTS (SELECT 1 FROM plan_event e WHERE e.plan_id = plan.id AND e.kind = 'upcoming'
		                    AND e.cause = to_char(plan.next_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')) ORDER BY next_at LIMIT $3`
	const expiring = `/* recurring.QueueReminders */
		SELECT id FROM plan WHERE status IN ('active', 'paused') AND next_at IS NOT NULL AND card_expires BETWEEN $1 AND $2
		   AND NOT EXISTS (SELECT 1 FROM plan_event e WHERE e.plan_id = plan.id AND e.kind = 'card expires'
		                    AND e.cause = plan.card_last4 || ' ' || plan.card_expires::text) ORDER BY card_expires LIMIT $3`
	now := ps.Now()
	told, err := ps.forEachPlan(ctx, upcoming, func(tx *sqlx.Tx, p *Plan) error {
		if p.Status != Active || p.NextAt == nil {
			return nil
		}
		return ps.notifyTx(ctx, tx, p, eventUpcoming, p.NextAt.UTC().Format(time.DateOnly), Detail{})
	}, now, now.Add(upcomingNotice), batchSize)
	if err != nil {
		return told, err
	}
	n, err := ps.forEachPlan(ctx, expiring, func(tx *sqlx.Tx, p *Plan) error {
		if !p.Status.IsRunning() || p.CardExpires == nil {
			return nil
		}
		return ps.notifyTx(ctx, tx, p, eventCardExpiring, *p.CardLast4+" "+p.CardExpires.Format(time.DateOnly), Detail{Until: p.CardExpires})
	}, now, now.AddDate(0, 1, 0), batchSize)
	return told + n, err
}

// Reconcile does again what a lost job would have done: it carries out requests that wait, asks for schedules that plans of N
// payments lack, and reads plans that wait to be read or whose charge is overdue. It answers how many it took up.
func (ps Plans) RecoverLostJobs(ctx context.Context) (int, error) {
	const waiting = `/* recurring.RecoverLostJobs */
		SELECT id FROM plan_request WHERE carried_at IS NULL AND refused IS NULL AND asked_at < $1 ORDER BY random() LIMIT $2`
	const unscheduled = `/* recurring.RecoverLostJobs */
		SELECT id FROM plan p WHERE status IN ('active', 'paused') AND total IS NOT NULL AND schedule_id IS NULL AND paid < total
		   AND subscription_id IS NOT NULL AND begun_at < $1
		   AND NOT EXISTS (SELECT 1 FROM plan_request r WHERE r.plan_id = p.id AND r.kind = 'schedule' AND r.carried_at IS NULL AND r.refused IS NULL)
		   AND NOT EXISTS (SELECT 1 FROM plan_request r WHERE r.plan_id = p.id AND (r.kind = 'change' AND (r.detail->>'repaced')::boolean OR r.kind = 'move')
		                    AND r.asked_at > (SELECT max(i.created_at) FROM instalment i WHERE i.plan_id = p.id AND i.n IS NOT NULL))
		 ORDER BY id LIMIT $2`
	const unread = `/* recurring.RecoverLostJobs */
		SELECT id FROM plan WHERE subscription_id IS NOT NULL AND ended_at IS NULL AND (look_due < $1 OR look_due IS NULL AND next_at < $2)
		 ORDER BY random() LIMIT $3`
	now := ps.Now()
	var ids []uuid.UUID
	if err := sqlx.SelectContext(ctx, ps.DB, &ids, waiting, now.Add(-jobOverdueAfter), batchSize); err != nil {
		return 0, err
	}
	var failed []error
	for _, id := range ids {
		failed = append(failed, ps.ExecuteRequest(ctx, id))
	}
	taken := len(ids)
	n, err := ps.forEachPlan(ctx, unscheduled, func(tx *sqlx.Tx, p *Plan) error {
		return ps.requestTx(ctx, tx, p, request{Kind: kindSchedule, Subject: "missing " + now.UTC().Format(time.DateOnly), RequestedBy: "konbit"})
	}, now.Add(-jobOverdueAfter), batchSize)
	taken, failed = taken+n, append(failed, err)
	n, err = ps.forEachPlan(ctx, unread, func(tx *sqlx.Tx, p *Plan) error {
		p.SyncDue = nil // its job may be lost
		return ps.scheduleSyncTx(ctx, tx, p)
	}, now.Add(-jobOverdueAfter), now.Add(-4*time.Hour), batchSize)
	return taken + n, errors.Join(append(failed, err)...)
}

// each does something to each plan a query names, in a transaction of its own.
func (ps Plans) forEachPlan(ctx context.Context, query string, do func(tx *sqlx.Tx, p *Plan) error, args ...any) (int, error) {
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
