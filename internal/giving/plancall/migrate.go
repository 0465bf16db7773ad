package plancall

import (
	"context"
	"time"

	"konbit/internal/giving/billing"
	"konbit/internal/giving/plan"
)

// Migration is the result of a migration at Stripe.
type Migration struct {
	Detached    billing.DetachedSubscription
	Started     billing.StartedSubscription
	Next        time.Time
	MissedDates []time.Time // of charges that were due during the migration
}

// migrate detaches the plan's subscription and starts another.
func (c Caller) migrate(ctx context.Context, t billing.Target, p plan.Plan, r plan.Request) (*Migration, error) {
	detached, err := c.Billing.Detach(ctx, t, r.ID.String())
	if err != nil {
		return nil, err
	}
	if detached.InFlight {
		return nil, ErrNotReady
	}
	p.AnchorDay = detached.AnchorDay
	m := &Migration{Detached: detached}
	m.Next, m.MissedDates = p.NextAfterMigration(detached.PeriodEnd, c.Now())
	m.Started, err = c.Billing.StartSubscription(ctx, t, billing.NewSubscription{
		ChargeTerms: billing.ChargeTerms{AmountMinor: p.AmountMinor, Currency: p.Currency, Frequency: p.Frequency, Next: &m.Next}, RequestID: r.ID.String(),
		Customer: r.Detail.Customer, PaymentMethod: r.Detail.Method, Product: detached.Product, Metadata: detached.Metadata,
		AnchorDay: detached.AnchorDay,
	})
	until := p.PausedUntil
	if p.DisputedSince != nil {
		until = nil
	}
	if err == nil && (p.DisputedSince != nil || p.Status == plan.Paused && (until == nil || until.After(c.Now()))) {
		t.Subscription, t.Key = m.Started.Subscription, t.Key+":pause"
		err = c.Billing.Pause(ctx, t, until, true)
	}
	return m, err
}
