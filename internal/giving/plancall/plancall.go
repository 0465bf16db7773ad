// Package plancall makes the calls to Stripe that a plan's requests ask for. It decides nothing that a request does not
// say, and stores nothing: package recurring decides when a request is executed, and what follows from its result.
package plancall

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/giving/billing"
	"konbit/internal/giving/instalment"
	"konbit/internal/giving/plan"
)

// ErrNotReady: what the request depends on does not exist yet.
var ErrNotReady = errors.New("plancall: what the request depends on is not here yet")

// Caller makes calls.
type Caller struct {
	DB      sqlx.QueryerContext
	Billing billing.Subscriptions
	Now     func() time.Time
}

// Result is Stripe's answer to a request. Fields that do not apply are zero.
type Result struct {
	Subscription  string // the subscription that was called
	Schedule      *billing.Schedule
	PaymentMethod *billing.PaymentMethod
	Paid          bool
	Code          string // decline code, if not paid
	Migration     *Migration
	Next          time.Time // next charge of a plan that was resumed
}

// Make makes the call of a request. It decides nothing that the request does not say.
func (c Caller) Make(ctx context.Context, entity string, p plan.Plan, r plan.Request) (result Result, err error) {
	if r.Kind == plan.KindRefund {
		return result, c.Billing.Refund(ctx, billing.Target{Entity: entity, Key: r.IdempotencyKey()}, r.Subject)
	}
	if p.SubscriptionID == nil {
		return result, ErrNotReady
	}
	t := billing.Target{Entity: entity, Subscription: *p.SubscriptionID, Key: r.IdempotencyKey()}
	if p.CustomerID != nil {
		t.Customer = *p.CustomerID
	}
	result.Subscription = t.Subscription
	switch r.Kind {
	case plan.KindSchedule:
		result.Schedule, err = c.callSchedule(ctx, t, p, r)
	case plan.KindEnd, plan.KindCancel:
		err = c.callEnd(ctx, t, r)
	case plan.KindStopCollection:
		err = c.Billing.StopCollection(ctx, t, r.Subject)
	case plan.KindRetryPayment:
		if r.Detail.Customer != "" {
			result.Paid, result.Code, err = c.collectOutstanding(ctx, t, p, r)
		} else {
			result.Paid, err = c.Billing.RetryPayment(ctx, t, r.Detail.Invoice)
		}
	case plan.KindCard:
		result.PaymentMethod, err = c.Billing.UseNewestPaymentMethod(ctx, t, *p.CustomerID)
	case plan.KindMigrate:
		switch {
		case p.Status.IsEnded():
		case *p.CustomerID == r.Detail.Customer: // an earlier card migrated the plan already
			result.PaymentMethod, err = c.Billing.UseNewestPaymentMethod(ctx, t, r.Detail.Customer)
		default:
			result.Migration, err = c.migrate(ctx, t, p, r)
		}
	case plan.KindPause, plan.KindSkip:
		err = c.Billing.Pause(ctx, t, r.Detail.Until, r.Kind == plan.KindPause)
	case plan.KindHold:
		if !p.Status.IsEnded() {
			err = c.Billing.Hold(ctx, t)
		}
	case plan.KindResume:
		result.Next, err = c.Billing.Resume(ctx, t)
	case plan.KindChange:
		err = c.callChange(ctx, t, p, r)
	default:
		err = fmt.Errorf("recurring: unknown kind of request %q", r.Kind)
	}
	return result, err
}

// callSchedule makes the subscription end after the plan's payments. It returns nil if there is nothing to do, or if
// the subscription's first whole period has not started.
func (c Caller) callSchedule(ctx context.Context, t billing.Target, p plan.Plan, r plan.Request) (*billing.Schedule, error) {
	switch {
	case p.Status.IsEnded():
		return nil, nil
	case p.Status == plan.Started:
		return nil, ErrNotReady // the first payment is not counted yet
	}
	s, err := c.Billing.Schedule(ctx, t, func(start, end time.Time) int {
		if length, err := strconv.Atoi(r.Subject); err == nil {
			return length
		}
		return p.ScheduleLength(start, end, false)
	})
	if s.ID == "" {
		return nil, err
	}
	return &s, err
}

// callEnd ends the plan's subscription, or the other subscription that the request names, unless that became the plan's
// own.
func (c Caller) callEnd(ctx context.Context, t billing.Target, r plan.Request) error {
	switch other := r.Detail.Subscription; other {
	case "":
	case t.Subscription:
		return nil
	default:
		t.Subscription = other
	}
	return c.Billing.End(ctx, t)
}

// callChange changes what the subscription charges. A change of the funds alone needs no call.
func (c Caller) callChange(ctx context.Context, t billing.Target, p plan.Plan, r plan.Request) error {
	if r.Detail.Amount == p.AmountMinor && r.Detail.Frequency == string(p.Frequency) && r.Detail.Next == nil {
		return nil
	}
	return c.Billing.Change(ctx, t, billing.ChargeTerms{
		AmountMinor: r.Detail.Amount, Currency: p.Currency, Frequency: org.Frequency(r.Detail.Frequency), Next: r.Detail.Next,
		IntervalChanged: r.Detail.Frequency != string(p.Frequency),
	})
}

// collectOutstanding charges one outstanding invoice. It counts as paid if it is no longer outstanding or the plan has
// ended.
func (c Caller) collectOutstanding(ctx context.Context, t billing.Target, p plan.Plan, r plan.Request) (paid bool, code string, err error) {
	outstanding, err := instalment.IsOutstanding(ctx, c.DB, p.ID, r.Detail.Invoice)
	if err != nil || !outstanding || p.Status.IsEnded() {
		return err == nil, "", err
	}
	return c.Billing.Collect(ctx, t, billing.Collection{
		Customer: *p.CustomerID, PlanID: p.ID.String(), Invoice: r.Detail.Invoice, AmountMinor: r.Detail.Amount, Currency: p.Currency,
	})
}
