package recurring

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/task"
	"konbit/internal/giving/billing"
	"konbit/internal/giving/instalment"
	"konbit/internal/giving/payment"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/plancall"
	"konbit/internal/platform/pg"
)

// taskDisputed is the kind of task about a plan that is held because the donor's bank disputes a payment. Subject: the
// dispute.
var taskDisputed = task.Register(task.Kind{
	Code: "plan_payment_disputed", Severity: task.Urgent, For: task.Finance, Link: task.Link{Object: task.Plan, Detail: "plan"}, Closes: task.Automatically,
})

// RequestDisputeTx enqueues the job.
func (ps Plans) RequestDisputeTx(ctx context.Context, tx *sqlx.Tx, d plan.DisputeJob) error {
	return ps.Queue.EnqueueTx(ctx, tx, d)
}

// FollowDispute does what a dispute of a payment means for its plan. Nothing is charged to a card whose owner disputes a
// charge:
//
//	open   nothing more is charged, with an email and a task
//	lost   the plan ends, with an email; the task closes
//	won    the plan stays paused until the donor resumes it, with an email; the task closes
//
// Events arrive in any order, so a dispute that has ended does not open again. It does nothing for a payment of no plan.
// It reports an error, so that the job runs again, as long as the charge is not here; one that is not here after ten
// days is older than the books.
func (ps Plans) FollowDispute(ctx context.Context, d plan.DisputeJob) error {
	return pg.InTx(ctx, ps.DB, func(tx *sqlx.Tx) error {
		paid, err := payment.ByChargeTx(ctx, tx, d.EntityID, payment.Stripe, []string{d.Charge})
		if err != nil {
			return err
		}
		of, here := paid[d.Charge]
		switch {
		case !here && ps.Now().Sub(d.At) < stuckWaitingAfter:
			return plancall.ErrNotReady
		case !here || of.DonationID == nil:
			return nil
		}
		return ps.followDisputeTx(ctx, tx, *of.DonationID, d)
	})
}

func (ps Plans) followDisputeTx(ctx context.Context, tx *sqlx.Tx, donation uuid.UUID, d plan.DisputeJob) error {
	ids, err := instalment.PlansOf(ctx, tx, nil, []uuid.UUID{donation})
	if err != nil || len(ids) == 0 {
		return err
	}
	p, err := lockPlanTx(ctx, tx, ids[0])
	if err != nil {
		return err
	}
	ended, err := hasEventTx(ctx, tx, p, d.Dispute, plan.EventDisputeWon, plan.EventDisputeLost)
	if err != nil || ended {
		return err
	}
	if d.State == plan.DisputeOpen {
		return ps.openDisputeTx(ctx, tx, p, donation, d)
	}
	if err := task.CloseTx(ctx, tx, p.EntityID, taskDisputed, d.Dispute, ps.Now()); err != nil {
		return err
	}
	if d.State == plan.DisputeLost {
		return ps.loseDisputeTx(ctx, tx, p, d)
	}
	return ps.winDisputeTx(ctx, tx, p, d)
}

func (ps Plans) openDisputeTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, donation uuid.UUID, d plan.DisputeJob) error {
	e, err := ps.recordEventTx(ctx, tx, p, plan.EventDisputed, d.Dispute, plan.Detail{})
	if err != nil || e == nil || p.Status.IsEnded() {
		return err
	}
	err = task.OpenTx(ctx, tx, task.Task{
		EntityID: p.EntityID, Kind: taskDisputed, Subject: d.Dispute, Detail: map[string]string{"plan": p.ID.String(), "donation": donation.String()},
	}, ps.NewID, ps.Now())
	if err != nil || p.DisputedSince != nil { // held because of another one
		return err
	}
	p.DisputedSince = &e.At
	if err := ps.requestTx(ctx, tx, p, plan.Request{Kind: plan.KindHold, Subject: d.Dispute, RequestedBy: plan.ByKonbit}); err != nil {
		return err
	}
	return savePlanTx(ctx, tx, p)
}

// applyHoldTx records that nothing is charged any more, and tells the donor.
func (ps Plans) applyHoldTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r plan.Request) error {
	if p.Status.IsEnded() {
		return nil
	}
	p.Status, p.PausedUntil, p.NextAt = plan.Paused, nil, nil
	told := p.DisputedSince == nil // the dispute has ended meanwhile
	if !told {
		var err error
		if told, err = toldOfHoldTx(ctx, tx, p); err != nil {
			return err
		}
	}
	if !told {
		if err := ps.notifyTx(ctx, tx, p, plan.EventHeld, r.Subject, plan.Detail{}); err != nil {
			return err
		}
	}
	return ps.scheduleSyncTx(ctx, tx, p)
}

// toldOfHoldTx reports whether the donor got the notice that nothing is charged because of the present dispute.
func toldOfHoldTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan) (told bool, err error) {
	const query = `/* recurring.toldOfHoldTx */ SELECT EXISTS (SELECT 1 FROM plan_event WHERE plan_id = $1 AND kind = 'held' AND at >= $2)`
	err = tx.GetContext(ctx, &told, query, p.ID, *p.DisputedSince)
	return told, err
}

// holdAgainTx requests that nothing is charged, if the subscription of a disputed plan charges, or will by itself: a call
// that was on its way when the dispute was opened, or a person at Stripe, ended the pause.
func (ps Plans) holdAgainTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, s billing.RemoteSubscription) error {
	if p.DisputedSince == nil || s.Paused && s.PausedUntil == nil {
		return nil
	}
	if waits, err := isWaiting(ctx, tx, p.ID, plan.KindHold); waits || err != nil {
		return err
	}
	return ps.requestTx(ctx, tx, p, plan.Request{Kind: plan.KindHold, Subject: "again " + ps.NewID().String(), RequestedBy: plan.ByKonbit})
}

func (ps Plans) loseDisputeTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, d plan.DisputeJob) error {
	if _, err := ps.recordEventTx(ctx, tx, p, plan.EventDisputeLost, d.Dispute, plan.Detail{}); err != nil || p.Status.IsEnded() {
		return err
	}
	if err := ps.requestTx(ctx, tx, p, plan.Request{Kind: plan.KindEnd, Subject: d.Dispute, RequestedBy: plan.ByKonbit}); err != nil {
		return err
	}
	asked, err := waitingCancelTx(ctx, tx, p)
	switch {
	case err != nil:
		return err
	case asked != nil: // the donor asked for the end before
		err = ps.endAskedTx(ctx, tx, p, *asked)
	default:
		p.End(plan.Cancelled, plan.Disputed, ps.Now())
		err = ps.notifyTx(ctx, tx, p, plan.EventStoppedByDispute, d.Dispute, plan.Detail{})
	}
	if err != nil {
		return err
	}
	return savePlanTx(ctx, tx, p)
}

func (ps Plans) winDisputeTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, d plan.DisputeJob) error {
	const others = `/* recurring.winDisputeTx */
		SELECT EXISTS (SELECT 1 FROM plan_event o WHERE o.plan_id = $1 AND o.kind = 'disputed' AND o.cause <> $2 AND NOT EXISTS (
		    SELECT 1 FROM plan_event e WHERE e.plan_id = o.plan_id AND e.cause = o.cause AND e.kind IN ('dispute won', 'dispute lost')))`
	var open bool
	if err := tx.GetContext(ctx, &open, others, p.ID, d.Dispute); err != nil {
		return err
	}
	if open || p.Status.IsEnded() || p.DisputedSince == nil {
		_, err := ps.recordEventTx(ctx, tx, p, plan.EventDisputeWon, d.Dispute, plan.Detail{})
		return err
	}
	p.DisputedSince = nil
	if err := ps.notifyTx(ctx, tx, p, plan.EventDisputeWon, d.Dispute, plan.Detail{}); err != nil {
		return err
	}
	return savePlanTx(ctx, tx, p)
}
