package recurring

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/books/task"
	"konbit/internal/giving/billing"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/plancall"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

const (
	// stuckAfter is how long a request may fail because Stripe cannot be reached, before a task is opened.
	stuckAfter = 24 * time.Hour
	// stuckWaitingAfter is the same for a request that waits for something else: a bank debit takes days.
	stuckWaitingAfter = 10 * 24 * time.Hour
)

// taskStuck is the kind of task about a request that Stripe refused, or that has waited for too long.
var taskStuck = task.Register(task.Kind{
	Code: "plan_request_stuck", Severity: task.Urgent, For: task.Operator, Link: task.Link{Object: task.Plan, Detail: "plan"}, Closes: task.ByPerson,
})

// errEnded: the plan has ended or is being stopped, and the request changes nothing any more.
var errEnded = errors.New("recurring: the plan has ended")

// errDisputed: the donor's bank disputes a payment, and the request would let the plan be charged again.
var errDisputed = errors.New("recurring: a payment is disputed, and nothing is charged meanwhile")

// ExecuteRequest executes a request unless it is done: it calls Stripe and applies the result. It can be called again
// at any time. It reports an error, so that the job runs again, if Stripe cannot be reached or the request has to wait
// for something: a schedule for a subscription that does not exist yet, an invoice for its card. A request that waited is
// judged again here: one that would let the plan be charged is refused while a payment is disputed.
func (ps Plans) ExecuteRequest(ctx context.Context, id uuid.UUID) error {
	r, err := requestByID(ctx, ps.DB, id)
	if err != nil || r.IsDone() {
		return err
	}
	p, err := ByID(ctx, ps.DB, r.PlanID)
	if err != nil {
		return err
	}
	e, err := org.EntityByID(ctx, ps.DB, p.EntityID)
	if err != nil {
		return err
	}
	waits, err := ps.mustWait(ctx, r)
	if err != nil {
		return err
	}
	if waits {
		return ps.recordFailure(ctx, p, r, plancall.ErrNotReady)
	}
	if p.Status.IsEnded() && plan.NeedsRunningPlan(r.Kind) {
		return ps.recordFailure(ctx, p, r, errEnded)
	}
	if p.DisputedSince != nil && plan.LetsCharge(r.Kind) {
		return ps.recordFailure(ctx, p, r, errDisputed)
	}
	result, err := plancall.Caller{DB: ps.DB, Billing: ps.Billing, Now: ps.Now}.Make(ctx, e.Slug, p, r)
	if err != nil {
		return ps.recordFailure(ctx, p, r, err)
	}
	return ps.applyResult(ctx, r, result)
}

// recordFailure records a failed attempt and decides what follows:
//
//	Stripe or the database cannot be reached    the error is returned, so that the job runs again; a task after 24 h
//	it has to wait for something                the same; a task after 10 days
//	the entity's key is wrong                   the same; a task at once
//	a payment is disputed                       the request is refused: no task, no error
//	the plan has ended or is being stopped,     the same
//	and Stripe refused a change of it
//	anything else                               the request is refused: a task for a person, no error
//
// After a refused request that would have changed the subscription, the plan is synced: what was changed at Stripe
// meanwhile is not taken over yet, and a migration may have ended the old subscription.
func (ps Plans) recordFailure(ctx context.Context, p plan.Plan, r plan.Request, err error) error {
	notReady, wrongKey := errors.Is(err, plancall.ErrNotReady), errors.Is(err, billing.ErrWrongKey)
	refused := !notReady && !wrongKey && !fault.Is(err, fault.Unavailable) && !pg.IsTransient(err)
	var reason error
	if refused {
		over, overErr := ps.isOver(ctx, p.ID)
		if overErr != nil {
			return errors.Join(err, overErr)
		}
		if over && plan.NeedsRunningPlan(r.Kind) {
			err = fmt.Errorf("%w: %w", errEnded, err)
		}
		reason = err
	}
	if recordErr := ps.recordAttempt(ctx, r, reason); recordErr != nil {
		return errors.Join(err, recordErr)
	}
	limit := stuckAfter
	if notReady {
		limit = stuckWaitingAfter
	}
	if refused && !errors.Is(err, errDisputed) && !errors.Is(err, errEnded) || wrongKey || ps.Now().Sub(r.RequestedAt) > limit {
		if taskErr := ps.openStuckTask(ctx, p, r, err); taskErr != nil {
			return errors.Join(err, taskErr)
		}
	}
	switch {
	case refused && slices.Contains(plan.KindsThatChange, r.Kind):
		return ps.scheduleSync(ctx, p.ID)
	case refused:
		return nil
	}
	return err
}

// openStuckTask opens a task about a request that is not executed.
func (ps Plans) openStuckTask(ctx context.Context, p plan.Plan, r plan.Request, reason error) error {
	return pg.InTx(ctx, ps.DB, func(tx *sqlx.Tx) error {
		return task.OpenTx(ctx, tx, task.Task{
			EntityID: p.EntityID, Kind: taskStuck, Subject: r.ID.String(),
			Detail: map[string]string{"plan": p.ID.String(), "donation": p.ID.String(), "asked": r.Kind, "reason": reason.Error()},
		}, ps.NewID, ps.Now())
	})
}
