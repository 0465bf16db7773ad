package recurring

import (
	"context"
	"errors"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/task"
	"konbit/internal/giving/billing"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/planterms"
)

// taskCannotFollow is the kind of task about a subscription that charges what no plan can charge. Subject: the plan.
var taskCannotFollow = task.Register(task.Kind{
	Code: "plan_differs_at_stripe", Severity: task.Urgent, For: task.Finance, Link: task.Link{Object: task.Plan}, Closes: task.Automatically,
})

// followStripeTx takes over from a running plan's subscription what it charges, when, and until when. It enqueues an
// email about each change that the donor did not ask for here. While a request of Konbit for a pause,
// or for other terms, is on its way to Stripe, it does not take over these: the request's result says them and schedules
// the next sync, which takes over what differs then. A disputed plan that is charged is held again.
func (ps Plans) followStripeTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, s billing.RemoteSubscription) error {
	before := *p
	if before.Status == plan.Started {
		p.FollowDates(s)
		return nil
	}
	if err := ps.holdAgainTx(ctx, tx, p, s); err != nil {
		return err
	}
	pausing, err := isWaiting(ctx, tx, p.ID, plan.KindPause, plan.KindSkip, plan.KindResume, plan.KindHold)
	if err != nil {
		return err
	}
	if pausing {
		s.Paused, s.PausedUntil = before.Status == plan.Paused, before.PausedUntil
	}
	p.FollowDates(s)
	changing, err := isWaiting(ctx, tx, p.ID, plan.KindChange)
	if err != nil {
		return err
	}
	if !changing {
		if err := ps.followTermsTx(ctx, tx, p, s); err != nil {
			return err
		}
	}
	for _, kind := range p.ChangesSince(before, ps.Now()) {
		if err := ps.notifyTx(ctx, tx, p, kind, ps.NewID().String(), plan.Detail{Ends: p.EndsAt}); err != nil {
			return err
		}
	}
	return nil
}

// followTermsTx takes over the amount, with its discount, and the frequency, and tells the donor. A discount changes no
// terms: if it ends, the whole amount is charged again.
func (ps Plans) followTermsTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, s billing.RemoteSubscription) error {
	parts, err := planterms.PartsOf(ctx, tx, *p, p.Terms)
	if err != nil {
		return err
	}
	to, err := p.FollowTerms(s, parts)
	before := p.NextCharge().Minor
	p.DiscountedTo = s.Discounted
	if errors.Is(err, plan.ErrCannotFollow) {
		return task.OpenTx(ctx, tx, task.Task{EntityID: p.EntityID, Kind: taskCannotFollow, Subject: p.ID.String()}, ps.NewID, ps.Now())
	}
	if err != nil {
		return err
	}
	if err := task.CloseTx(ctx, tx, p.EntityID, taskCannotFollow, p.ID.String(), ps.Now()); err != nil {
		return err
	}
	switch {
	case to != nil:
		if err := planterms.ChangeTx(ctx, tx, p, *to, ps.Now()); err != nil {
			return err
		}
	case p.NextCharge().Minor == before:
		return nil
	default:
		to = &plan.Detail{FrequencyBefore: string(p.Frequency)}
	}
	to.Before = before
	return ps.notifyTx(ctx, tx, p, plan.EventChangedAtStripe, ps.NewID().String(), *to)
}
