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

// followStripeTx takes over from a running plan's subscription what it charges, when, and until when, whoever changed it,
// and tells the donor what they did not ask for here. While a request of Konbit is on its way to Stripe, it only takes
// over the dates: the request's result says the rest, and schedules the next sync.
func (ps Plans) followStripeTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, s billing.RemoteSubscription) error {
	before := *p
	p.FollowDates(s)
	if before.Status == plan.Started {
		return nil
	}
	waits, err := waitsTx(ctx, tx, p.ID, plan.KindsThatChange...)
	if waits || err != nil {
		p.EndsAt = before.EndsAt // the next sync tells it
		return err
	}
	if err := ps.followTermsTx(ctx, tx, p, s); err != nil {
		return err
	}
	kind := ""
	switch {
	case p.EndsAt != nil && (before.EndsAt == nil || !p.EndsAt.Equal(*before.EndsAt)):
		kind = plan.EventEndSet
	case p.EndsAt == nil && before.EndsAt != nil:
		kind = plan.EventEndRemoved
	case p.Status == plan.Paused && before.Status == plan.Active:
		kind = plan.EventPausedAtStripe
	case p.Status == plan.Active && before.Status == plan.Paused && (before.PausedUntil == nil || before.PausedUntil.After(ps.Now())):
		kind = plan.EventResumedAtStripe
	default:
		return nil
	}
	return ps.notifyTx(ctx, tx, p, kind, ps.NewID().String(), plan.Detail{Ends: p.EndsAt})
}

// followTermsTx takes over the amount and the frequency, and tells the donor.
func (ps Plans) followTermsTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, s billing.RemoteSubscription) error {
	parts, err := planterms.PartsOf(ctx, tx, *p, p.Terms)
	if err != nil {
		return err
	}
	to, err := p.FollowTerms(s, parts)
	if errors.Is(err, plan.ErrCannotFollow) {
		return task.OpenTx(ctx, tx, task.Task{EntityID: p.EntityID, Kind: taskCannotFollow, Subject: p.ID.String()}, ps.NewID, ps.Now())
	}
	if err != nil {
		return err
	}
	if err := task.CloseTx(ctx, tx, p.EntityID, taskCannotFollow, p.ID.String(), ps.Now()); err != nil || to == nil {
		return err
	}
	if err := planterms.ChangeTx(ctx, tx, p, *to, ps.Now()); err != nil {
		return err
	}
	return ps.notifyTx(ctx, tx, p, plan.EventChangedAtStripe, ps.NewID().String(), *to)
}
