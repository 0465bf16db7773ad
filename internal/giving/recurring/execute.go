package recurring

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/books/task"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

// longTried is how long a request may find no Stripe before finance is told.
const stuckAfter = 24 * time.Hour

// longWaited is the same for what waits for something that takes its time here: a bank debit is under way for days.
const stuckWaitingAfter = 10 * 24 * time.Hour

// taskStuck is the task about a request that Stripe refused, or that waits too long.
var taskStuck = task.Register(task.Kind{
	Code: "plan_request_stuck", Severity: task.Urgent, For: task.Operator, Link: task.Link{Object: task.Plan, Detail: "plan"}, Closes: task.ByPerson,
})

// Register takes the jobs of plans, letters apart.
func (ps Plans) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job RequestJob) error { return ps.ExecuteRequest(ctx, job.RequestID) })
	jobs.Handle(h, func(ctx context.Context, job SyncJob) error { return ps.SyncPlan(ctx, job.PlanID) })
}

// Carry carries a request out, unless it was: the call, then what came of it. It may be called again at any time. What waits for
// something else (a schedule for a subscription that is not there, a bill for its card) answers an error and comes again.
func (ps Plans) ExecuteRequest(ctx context.Context, id uuid.UUID) error {
	r, err := requestByID(ctx, ps.DB, id)
	if err != nil || r.isDone() {
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
	var done callResult
	waits, err := ps.mustWait(ctx, r)
	switch {
	case err != nil:
		return err
	case waits:
		err = errNotReady
	default:
		done, err = ps.callStripe(ctx, e.Slug, p, r)
	}
	if err == nil {
		return ps.applyResult(ctx, r, done)
	}
	var refused error
	if !fault.Is(err, fault.Unavailable) && !errors.Is(err, errNotReady) && !pg.IsTransient(err) {
		refused = err
	}
	if noteErr := ps.recordAttempt(ctx, r, refused); noteErr != nil {
		return errors.Join(err, noteErr)
	}
	patience := stuckAfter
	if errors.Is(err, errNotReady) {
		patience = stuckWaitingAfter
	}
	if refused != nil || ps.Now().Sub(r.RequestedAt) > patience {
		if taskErr := ps.openStuckTask(ctx, p, r, err); taskErr != nil {
			return errors.Join(err, taskErr)
		}
	}
	if refused != nil && r.Kind == kindMigrate {
		return ps.scheduleSync(ctx, p.ID) // it may have been left and not begun
	}
	if refused != nil {
		return nil // a person has to look
	}
	return err
}

var errNotReady = errors.New("recurring: what it builds on is not here yet")

// outcome is what a call answered.
type callResult struct {
	subscription  string // the subscription it was asked of
	schedule      *Schedule
	paymentMethod *PaymentMethod
	paid          bool
	code          string // why not
	migration     *planMigration
	next          time.Time // charge of a plan that goes on
}

// call speaks to Stripe. It decides nothing that the request does not say.
func (ps Plans) callStripe(ctx context.Context, entity string, p Plan, r request) (out callResult, err error) {
	if r.Kind == kindRefund {
		return out, ps.Billing.Refund(ctx, Target{Entity: entity, Key: r.idempotencyKey()}, r.Subject)
	}
	if p.SubscriptionID == nil {
		return out, errNotReady
	}
	o := Target{Entity: entity, Subscription: *p.SubscriptionID, Key: r.idempotencyKey()}
	out.subscription = o.Subscription
	switch r.Kind {
	case kindMigrate:
		switch {
		case p.Status.IsEnded():
		case *p.CustomerID == r.Detail.Customer: // by another card before this one
			out.paymentMethod, err = ps.Billing.UseNewestPaymentMethod(ctx, o, r.Detail.Customer)
		default:
			out.migration, err = ps.migrate(ctx, o, p, r)
		}
	case kindSchedule:
		switch {
		case p.Status.IsEnded():
			return out, nil
		case p.Status == Started:
			return out, errNotReady // its first payment is not counted
		}
		var s Schedule
		s, err = ps.Billing.Schedule(ctx, o, func(start, end time.Time) int {
			if wants, err := strconv.Atoi(r.Subject); err == nil {
				return wants
			}
			return p.scheduleLength(start, end, false)
		})
		if s.ID != "" {
			out.schedule = &s
		}
	case kindEnd, kindCancel:
		if other := r.Detail.Subscription; other == o.Subscription {
			return out, nil // it became the plan's own
		} else if other != "" {
			o.Subscription = other
		}
		err = ps.Billing.End(ctx, o)
	case kindStopCollection:
		err = ps.Billing.StopCollection(ctx, o, r.Subject)
	case kindRetryPayment:
		if r.Detail.Customer != "" {
			out.paid, out.code, err = ps.collectOutstanding(ctx, o, p, r)
			break
		}
		out.paid, err = ps.Billing.RetryPayment(ctx, o, r.Detail.Invoice)
	case kindCard:
		out.paymentMethod, err = ps.Billing.UseNewestPaymentMethod(ctx, o, *p.CustomerID)
	case kindPause, kindSkip:
		err = ps.Billing.Pause(ctx, o, *r.Detail.Until)
	case kindResume:
		out.next, err = ps.Billing.Resume(ctx, o)
	case kindChange:
		if r.Detail.Amount == p.AmountMinor && r.Detail.Frequency == string(p.Frequency) && r.Detail.Next == nil {
			return out, nil // for other funds only: Stripe need not know
		}
		err = ps.Billing.Change(ctx, o, ChargeTerms{
			AmountMinor: r.Detail.Amount, Currency: p.Currency, Frequency: org.Frequency(r.Detail.Frequency), Next: r.Detail.Next,
			IntervalChanged: r.Detail.Frequency != string(p.Frequency),
		})
	default:
		err = fmt.Errorf("recurring: a request of kind %q", r.Kind)
	}
	return out, err
}

// stuck tells finance of a request that is not carried out.
func (ps Plans) openStuckTask(ctx context.Context, p Plan, r request, why error) error {
	return pg.InTx(ctx, ps.DB, func(tx *sqlx.Tx) error {
		return task.OpenTx(ctx, tx, task.Task{
			EntityID: p.EntityID, Kind: taskStuck, Subject: r.ID.String(),
			Detail: map[string]string{"plan": p.ID.String(), "donation": p.ID.String(), "asked": r.Kind, "reason": why.Error()},
		}, ps.NewID, ps.Now())
	})
}
