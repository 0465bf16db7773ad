package stripepay

import (
	"context"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/giving/billing"
	"konbit/internal/processor/stripepay/remote"
)

// Schedule is part of billing.Subscriptions. It creates the schedule from the subscription alone, and then sets the number
// of periods: Stripe refuses both in one call. Between the two calls the subscription has no end.
func (s *Stripe) Schedule(ctx context.Context, o billing.Target, iterations func(phaseStart, periodEnd time.Time) int) (billing.Schedule, error) {
	a, sub, err := s.read(ctx, o)
	if err != nil {
		return billing.Schedule{}, err
	}
	if sub.Schedule == nil && sub.BillingCycleAnchor >= sub.CurrentPeriodEnd {
		return billing.Schedule{}, nil // Stripe counts periods from the current one, and the first whole period has not begun
	}
	schedule, err := scheduleOf(ctx, a, o, sub)
	if err != nil {
		return billing.Schedule{}, err
	}
	phase := schedule.Phases[len(schedule.Phases)-1]
	start := time.Unix(phase.StartDate, 0).UTC()
	n := iterations(start, time.Unix(sub.CurrentPeriodEnd, 0).UTC())
	params := remote.PhaseParams(phase, sub)
	params.Iterations = stripe.Int64(int64(n))
	if err := setPhase(ctx, a, o.Key+":iterations", schedule.ID, params); err != nil {
		return billing.Schedule{}, err
	}
	return billing.Schedule{ID: schedule.ID, PhaseStart: start, Iterations: n}, nil
}

// scheduleOf returns the subscription's schedule. It creates one if there is none.
func scheduleOf(ctx context.Context, a *account, o billing.Target, sub *stripe.Subscription) (*stripe.SubscriptionSchedule, error) {
	params := &stripe.SubscriptionScheduleParams{}
	params.Context = ctx
	var schedule *stripe.SubscriptionSchedule
	var err error
	if sub.Schedule != nil {
		schedule, err = a.api.SubscriptionSchedules.Get(sub.Schedule.ID, params)
	} else {
		params.FromSubscription = stripe.String(sub.ID)
		params.SetIdempotencyKey(o.Key + ":create")
		schedule, err = a.api.SubscriptionSchedules.New(params)
	}
	if err != nil {
		return nil, translate(err)
	}
	return schedule, nil
}

func setPhase(ctx context.Context, a *account, key, schedule string, phase *stripe.SubscriptionSchedulePhaseParams) error {
	params := &stripe.SubscriptionScheduleParams{
		EndBehavior: stripe.String(string(stripe.SubscriptionScheduleEndBehaviorCancel)), ProrationBehavior: stripe.String("none"),
		Phases: []*stripe.SubscriptionSchedulePhaseParams{phase},
	}
	params.Context = ctx
	params.SetIdempotencyKey(key)
	if _, err := a.api.SubscriptionSchedules.Update(schedule, params); err != nil {
		return translate(err)
	}
	return nil
}

// Change is part of billing.Subscriptions. From the next period on the subscription has one item. If the dates or the
// frequency change, a period that costs nothing leads to the next charge; the schedule of such a subscription is
// released first.
func (s *Stripe) Change(ctx context.Context, o billing.Target, to billing.ChargeTerms) error {
	a, sub, err := s.read(ctx, o)
	if err != nil {
		return err
	}
	repaced := to.IntervalChanged || to.Next != nil
	if sub.Schedule != nil && !repaced {
		return changePhase(ctx, a, o, sub, to)
	}
	if sub.Schedule != nil {
		params := &stripe.SubscriptionScheduleReleaseParams{}
		params.Context = ctx
		params.SetIdempotencyKey(o.Key + ":release")
		if _, err := a.api.SubscriptionSchedules.Release(sub.Schedule.ID, params); err != nil {
			return translate(err)
		}
	}
	params := &stripe.SubscriptionParams{ProrationBehavior: stripe.String("none"), Items: remote.ItemsParams(sub, to)}
	if repaced {
		next := sub.CurrentPeriodEnd
		if to.Next != nil {
			next = to.Next.Unix()
		}
		params.TrialEnd = stripe.Int64(next)
	}
	params.Context = ctx
	params.SetIdempotencyKey(o.Key + ":items")
	if _, err := a.api.Subscriptions.Update(o.Subscription, params); err != nil {
		return translate(err)
	}
	return nil
}

// changePhase changes what the phase charges. Its end stays.
func changePhase(ctx context.Context, a *account, o billing.Target, sub *stripe.Subscription, to billing.ChargeTerms) error {
	get := &stripe.SubscriptionScheduleParams{}
	get.Context = ctx
	schedule, err := a.api.SubscriptionSchedules.Get(sub.Schedule.ID, get)
	if err != nil {
		return translate(err)
	}
	phase := schedule.Phases[len(schedule.Phases)-1]
	params := remote.PhaseParams(phase, sub)
	params.EndDate = stripe.Int64(phase.EndDate)
	interval, count := remote.Interval(to.Frequency)
	params.Items = []*stripe.SubscriptionSchedulePhaseItemParams{{
		Quantity: stripe.Int64(1),
		PriceData: &stripe.SubscriptionItemPriceDataParams{
			Currency: stripe.String(strings.ToLower(to.Currency)), Product: stripe.String(sub.Items.Data[0].Price.Product.ID),
			UnitAmount: stripe.Int64(to.AmountMinor),
			Recurring:  &stripe.SubscriptionItemPriceDataRecurringParams{Interval: stripe.String(interval), IntervalCount: stripe.Int64(count)},
		},
	}}
	return setPhase(ctx, a, o.Key+":phase", schedule.ID, params)
}
