package recurring

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

// longTried is how long a request may find no Stripe before finance is told.
const longTried = 24 * time.Hour

// longWaited is the same for what waits for something that takes its time here: a bank debit is under way for days.
const longWaited = 10 * 24 * time.Hour

// taskStuck is the task about a request that Stripe refused, or that waits too long.
const taskStuck = "plan_request_stuck"

// Register takes the jobs of plans, letters apart.
func (k Keeper) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job RequestJob) error { return k.Carry(ctx, job.RequestID) })
	jobs.Handle(h, func(ctx context.Context, job LookJob) error { return k.Look(ctx, job.PlanID) })
}

// Carry carries a request out, unless it was: the call, then what came of it. It may be called again at any time. What waits for
// something else (a schedule for a subscription that is not there, a bill for its card) answers an error and comes again.
func (k Keeper) Carry(ctx context.Context, id uuid.UUID) error {
	r, err := readRequest(ctx, k.DB, id)
	if err != nil || r.over() {
		return err
	}
	p, err := ByID(ctx, k.DB, r.PlanID)
	if err != nil {
		return err
	}
	e, err := org.EntityByID(ctx, k.DB, p.EntityID)
	if err != nil {
		return err
	}
	var done outcome
	waits, err := k.waits(ctx, r)
	switch {
	case err != nil:
		return err
	case waits:
		err = errTooEarly
	default:
		done, err = k.call(ctx, e.Slug, p, r)
	}
	if err == nil {
		return k.conclude(ctx, r, done)
	}
	var refused error
	if !fault.Is(err, fault.Unavailable) && !errors.Is(err, errTooEarly) && !pg.IsTransient(err) {
		refused = err
	}
	if noteErr := k.noteTry(ctx, r, refused); noteErr != nil {
		return errors.Join(err, noteErr)
	}
	patience := longTried
	if errors.Is(err, errTooEarly) {
		patience = longWaited
	}
	if refused != nil || k.Now().Sub(r.AskedAt) > patience {
		if taskErr := k.stuck(ctx, p, r, err); taskErr != nil {
			return errors.Join(err, taskErr)
		}
	}
	if refused != nil && r.Kind == kindMove {
		return k.lookSoon(ctx, p.ID) // it may have been left and not begun
	}
	if refused != nil {
		return nil // a person has to look
	}
	return err
}

var errTooEarly = errors.New("recurring: what it builds on is not here yet")

// outcome is what a call answered.
type outcome struct {
	on       string // the subscription it was asked of
	schedule *Schedule
	card     *Card
	paid     bool
	code     string // why not
	moved    *moved
	next     time.Time // charge of a plan that goes on
}

// call speaks to Stripe. It decides nothing that the request does not say.
func (k Keeper) call(ctx context.Context, entity string, p Plan, r request) (out outcome, err error) {
	if r.Kind == kindRefund {
		return out, k.Billing.Refund(ctx, Order{Entity: entity, Key: r.key()}, r.Subject)
	}
	if p.SubscriptionID == nil {
		return out, errTooEarly
	}
	o := Order{Entity: entity, Subscription: *p.SubscriptionID, Key: r.key()}
	out.on = o.Subscription
	switch r.Kind {
	case kindMove:
		switch {
		case p.Status.Over():
		case *p.CustomerID == r.Detail.Customer: // by another card before this one
			out.card, err = k.Billing.UseCard(ctx, o, r.Detail.Customer)
		default:
			out.moved, err = k.move(ctx, o, p, r)
		}
	case kindSchedule:
		switch {
		case p.Status.Over():
			return out, nil
		case p.Status == Started:
			return out, errTooEarly // its first payment is not counted
		}
		var s Schedule
		s, err = k.Billing.Schedule(ctx, o, func(start, end time.Time) int {
			if wants, err := strconv.Atoi(r.Subject); err == nil {
				return wants
			}
			return p.iterations(start, end, false)
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
		err = k.Billing.End(ctx, o)
	case kindRest:
		err = k.Billing.Rest(ctx, o, r.Subject)
	case kindPay:
		if r.Detail.Customer != "" {
			out.paid, out.code, err = k.collect(ctx, o, p, r)
			break
		}
		out.paid, err = k.Billing.Pay(ctx, o, r.Detail.Invoice)
	case kindCard:
		out.card, err = k.Billing.UseCard(ctx, o, *p.CustomerID)
	case kindPause, kindSkip:
		err = k.Billing.Pause(ctx, o, *r.Detail.Until)
	case kindResume:
		out.next, err = k.Billing.Resume(ctx, o)
	case kindChange:
		if r.Detail.Amount == p.AmountMinor && r.Detail.Frequency == string(p.Frequency) && r.Detail.Next == nil {
			return out, nil // for other funds only: Stripe need not know
		}
		err = k.Billing.Change(ctx, o, Charging{
			Minor: r.Detail.Amount, Currency: p.Currency, Every: org.Frequency(r.Detail.Frequency), Next: r.Detail.Next,
			Paced: r.Detail.Frequency != string(p.Frequency),
		})
	default:
		err = fmt.Errorf("recurring: a request of kind %q", r.Kind)
	}
	return out, err
}

// stuck tells finance of a request that is not carried out.
func (k Keeper) stuck(ctx context.Context, p Plan, r request, why error) error {
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		return ledger.OpenTaskTx(ctx, tx, ledger.Task{
			EntityID: p.EntityID, Kind: taskStuck, Subject: r.ID.String(),
			Detail: map[string]string{"plan": p.ID.String(), "donation": p.ID.String(), "asked": r.Kind, "reason": why.Error()},
		}, k.NewID, k.Now())
	})
}
