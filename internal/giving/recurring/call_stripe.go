package recurring

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"konbit/internal/books/org"
	"konbit/internal/giving/billing"
	"konbit/internal/giving/plan"
)

// callResult is Stripe's answer to a request. Fields that do not apply are zero.
type callResult struct {
	subscription  string // the subscription that was called
	schedule      *billing.Schedule
	paymentMethod *billing.PaymentMethod
	paid          bool
	code          string // decline code, if not paid
	migration     *planMigration
	next          time.Time // next charge of a plan that was resumed
}

// callStripe makes the call of a request. It decides nothing that the request does not say.
func (ps Plans) callStripe(ctx context.Context, entity string, p plan.Plan, r plan.Request) (result callResult, err error) {
	if r.Kind == plan.KindRefund {
		return result, ps.Billing.Refund(ctx, billing.Target{Entity: entity, Key: r.IdempotencyKey()}, r.Subject)
	}
	if p.SubscriptionID == nil {
		return result, errNotReady
	}
	t := billing.Target{Entity: entity, Subscription: *p.SubscriptionID, Key: r.IdempotencyKey()}
	if p.CustomerID != nil {
		t.Customer = *p.CustomerID
	}
	result.subscription = t.Subscription
	switch r.Kind {
	case plan.KindSchedule:
		result.schedule, err = ps.callSchedule(ctx, t, p, r)
	case plan.KindEnd, plan.KindCancel:
		err = ps.callEnd(ctx, t, r)
	case plan.KindStopCollection:
		err = ps.Billing.StopCollection(ctx, t, r.Subject)
	case plan.KindRetryPayment:
		if r.Detail.Customer != "" {
			result.paid, result.code, err = ps.collectOutstanding(ctx, t, p, r)
		} else {
			result.paid, err = ps.Billing.RetryPayment(ctx, t, r.Detail.Invoice)
		}
	case plan.KindCard:
		result.paymentMethod, err = ps.Billing.UseNewestPaymentMethod(ctx, t, *p.CustomerID)
	case plan.KindMigrate:
		switch {
		case p.Status.IsEnded():
		case *p.CustomerID == r.Detail.Customer: // an earlier card migrated the plan already
			result.paymentMethod, err = ps.Billing.UseNewestPaymentMethod(ctx, t, r.Detail.Customer)
		default:
			result.migration, err = ps.migrate(ctx, t, p, r)
		}
	case plan.KindPause, plan.KindSkip:
		err = ps.Billing.Pause(ctx, t, r.Detail.Until, r.Kind == plan.KindPause)
	case plan.KindHold:
		if !p.Status.IsEnded() {
			err = ps.Billing.Hold(ctx, t)
		}
	case plan.KindResume:
		result.next, err = ps.Billing.Resume(ctx, t)
	case plan.KindChange:
		err = ps.callChange(ctx, t, p, r)
	default:
		err = fmt.Errorf("recurring: unknown kind of request %q", r.Kind)
	}
	return result, err
}

// callSchedule makes the subscription end after the plan's payments. It returns nil if there is nothing to do, or if
// the subscription's first whole period has not started.
func (ps Plans) callSchedule(ctx context.Context, t billing.Target, p plan.Plan, r plan.Request) (*billing.Schedule, error) {
	switch {
	case p.Status.IsEnded():
		return nil, nil
	case p.Status == plan.Started:
		return nil, errNotReady // the first payment is not counted yet
	}
	s, err := ps.Billing.Schedule(ctx, t, func(start, end time.Time) int {
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
func (ps Plans) callEnd(ctx context.Context, t billing.Target, r plan.Request) error {
	switch other := r.Detail.Subscription; other {
	case "":
	case t.Subscription:
		return nil
	default:
		t.Subscription = other
	}
	return ps.Billing.End(ctx, t)
}

// callChange changes what the subscription charges. A change of the funds alone needs no call.
func (ps Plans) callChange(ctx context.Context, t billing.Target, p plan.Plan, r plan.Request) error {
	if r.Detail.Amount == p.AmountMinor && r.Detail.Frequency == string(p.Frequency) && r.Detail.Next == nil {
		return nil
	}
	return ps.Billing.Change(ctx, t, billing.ChargeTerms{
		AmountMinor: r.Detail.Amount, Currency: p.Currency, Frequency: org.Frequency(r.Detail.Frequency), Next: r.Detail.Next,
		IntervalChanged: r.Detail.Frequency != string(p.Frequency),
	})
}
