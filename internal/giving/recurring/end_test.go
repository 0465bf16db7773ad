package recurring_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/billing"
	"konbit/internal/giving/plan"
	"konbit/internal/platform/fault"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// unavailableBilling is Stripe with calls that fail while a field is true.
type unavailableBilling struct {
	billing.Subscriptions
	schedule, end bool
}

var errUnavailable = fault.Wrap(fault.Unavailable, "problem.503.text", errors.New("unavailable"))

func (b *unavailableBilling) Schedule(ctx context.Context, o billing.Target, n func(time.Time, time.Time) int) (billing.Schedule, error) {
	if b.schedule {
		return billing.Schedule{}, errUnavailable
	}
	return b.Subscriptions.Schedule(ctx, o, n)
}

func (b *unavailableBilling) End(ctx context.Context, o billing.Target) error {
	if b.end {
		return errUnavailable
	}
	return b.Subscriptions.End(ctx, o)
}

// advanceToNextCharge moves the clock two hours past the plan's next charge and processes the events.
func advanceToNextCharge(t *testing.T, h *program.Program, p plan.Plan) plan.Plan {
	t.Helper()
	h.Fake.Advance(p.NextAt.Sub(h.Fake.Now()) + 2*time.Hour)
	deliverAll(t, h)
	return reload(t, h, p)
}

func status(t *testing.T, h *program.Program, p plan.Plan) string {
	t.Helper()
	s, err := h.Stripe.ReadSubscription(t.Context(), "tsne", *p.SubscriptionID)
	require.NoError(t, err)
	return s.Status
}

// TestPlanEndsWithoutSchedule: payments are counted here, so the plan ends although Stripe never got a schedule.
func TestPlanEndsWithoutSchedule(t *testing.T) {
	h := program.New(t, program.Options{})
	stripe := &unavailableBilling{Subscriptions: h.Stripe, schedule: true}
	h.Plans.Billing = stripe
	p := startPlan(t, h, monthly("2"))
	require.Zero(t, p.Iterations)
	h.Fake.Advance(25 * time.Hour)
	_, err := h.Plans.RecoverLostJobs(t.Context())
	require.ErrorIs(t, err, errUnavailable)
	require.Equal(t, []string{"plan_request_stuck"}, h.Lines(`SELECT kind FROM finance_task`), "a task after a day")
	p = advanceToNextCharge(t, h, p)
	require.Equal(t, plan.Finished, p.Status)
	require.Equal(t, "canceled", status(t, h, p))
	h.Fake.Advance(90 * 24 * time.Hour)
	deliverAll(t, h)
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM donation WHERE status = 'settled'`))
}

// TestPaymentBeyondPlanIsRefunded: if the end of a plan does not reach Stripe in time, what Stripe charges after it is
// refunded.
func TestPaymentBeyondPlanIsRefunded(t *testing.T) {
	h := program.New(t, program.Options{})
	stripe := &unavailableBilling{Subscriptions: h.Stripe, schedule: true, end: true}
	h.Plans.Billing = stripe
	p := advanceToNextCharge(t, h, startPlan(t, h, monthly("2")))
	require.Equal(t, plan.Finished, p.Status)
	h.Fake.Advance(32 * 24 * time.Hour) // Stripe cannot be reached: the subscription goes on
	stripe.end = false
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Equal(t, 2, p.Paid)
	require.Equal(t, "canceled", status(t, h, p))
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM receipt`))
	require.Contains(t, h.Lines(`SELECT kind FROM finance_task`), "payment_beyond_plan")
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, h.Count(`SELECT coalesce(sum(amount), 0) FROM posting WHERE account_code = '1090'`), "received and refunded")
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task WHERE closed_at IS NULL AND kind IN ('payment_beyond_plan', 'movement_does_not_fit')`))
	require.Equal(t, 4000, h.Count(`SELECT -sum(amount)::int FROM posting WHERE account_code = '4100'`))
}

// TestMissingScheduleIsCreated: RecoverLostJobs requests it if its job is lost.
func TestMissingScheduleIsCreated(t *testing.T) {
	h := program.New(t, program.Options{})
	d, events := paidPlan(t, h)
	h.Deliver(events["invoice.paid"], events["charge.succeeded"])
	h.DrainAll()
	h.Exec(`DELETE FROM river_job`)
	h.Fake.Advance(time.Hour)
	_, err := h.Plans.RecoverLostJobs(t.Context())
	require.NoError(t, err)
	require.Equal(t, 12, planOf(t, h, d).Iterations)
}

// TestPlansStartedLateInAMonthChargeEveryMonth, also over the change to daylight saving time.
func TestPlansStartedLateInAMonthChargeEveryMonth(t *testing.T) {
	h := program.New(t, program.Options{})
	january := time.Date(h.Fake.Now().Year()+1, 1, 29, 12, 30, 0, 0, time.UTC)
	for day := range 3 {
		h.Fake.Advance(january.AddDate(0, 0, day).Sub(h.Fake.Now()))
		startPlan(t, h, monthly("4"))
	}
	for range 4 {
		h.Fake.Advance(29 * 24 * time.Hour)
		deliverAll(t, h)
	}
	require.Equal(t, []string{"3 finished"}, h.Lines(`SELECT count(*) || ' ' || status FROM plan GROUP BY status`))
	require.Equal(t, 12, h.Count(`SELECT count(DISTINCT (g.charged_at AT TIME ZONE 'UTC')::date || i.plan_id::text)
		FROM donation g JOIN instalment i ON i.donation_id = g.id`))
	require.Equal(t, []string{"1: 1 2 3 4"}, h.Lines(`SELECT DISTINCT '1: ' || string_agg(extract(month FROM g.charged_at AT TIME ZONE 'UTC')::text, ' ' ORDER BY i.n)
		FROM donation g JOIN instalment i ON i.donation_id = g.id GROUP BY i.plan_id`), "one charge in each month")
}

// startWithCustomer returns a plan of a known customer, as a signed-in donor starts it.
func startWithCustomer(t *testing.T, h *program.Program, customer string) plan.Plan {
	t.Helper()
	offer := h.Offer("csio")
	r, err := monthly("").Check(offer)
	require.NoError(t, err)
	r.Customer = customer
	started, err := h.Starter.Start(t.Context(), offer, r)
	require.NoError(t, err)
	h.Pay(started.Donation)
	deliverAll(t, h)
	return planOf(t, h, started.Donation)
}

// TestOneNewCardServesBothPlans: the card fails at the renewal, and the donor gets one email for each plan. One new
// card pays both invoices and all later ones.
func TestOneNewCardServesBothPlans(t *testing.T) {
	h := program.New(t, program.Options{})
	one := startWithCustomer(t, h, "")
	two := startWithCustomer(t, h, *one.CustomerID)
	require.Equal(t, *one.CustomerID, *two.CustomerID)
	for _, p := range []plan.Plan{one, two} {
		require.NoError(t, h.Fake.FailCard(*p.SubscriptionID, "insufficient_funds", 0))
	}
	one = advanceToNextCharge(t, h, one)
	require.NotNil(t, one.FailingSince)
	require.Equal(t, "insufficient_funds", *one.FailingCode)
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM plan_event WHERE kind = 'payment failed'`))
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM river_job WHERE kind = 'plan_letter'`))

	address, plans, err := h.Plans.UpdatePaymentMethod(t.Context(), one.DonorID, "es", h.URL)
	require.NoError(t, err)
	require.Equal(t, 2, plans)
	require.NotEmpty(t, address)
	_, err = h.Fake.ReplaceCard(*one.CustomerID, stripefake.GoodCard)
	require.NoError(t, err)
	deliverAll(t, h)
	for _, p := range []plan.Plan{one, two} {
		p = reload(t, h, p)
		require.Nil(t, p.FailingSince)
		require.Equal(t, 2, p.Paid)
	}
	advanceToNextCharge(t, h, reload(t, h, two))
	require.Equal(t, []string{"3", "3"}, h.Lines(`SELECT paid::text FROM plan`))
	require.Equal(t, 6, h.Count(`SELECT count(*) FROM receipt`))
}

// TestPermanentDeclineIsNotRetried: after the decline of a stolen card, the retries at Stripe are stopped.
func TestPermanentDeclineIsNotRetried(t *testing.T) {
	h := program.New(t, program.Options{})
	p := startPlan(t, h, monthly(""))
	require.NoError(t, h.Fake.FailCard(*p.SubscriptionID, "stolen_card", 0))
	p = advanceToNextCharge(t, h, p)
	require.Equal(t, []string{"rest t"}, h.Lines(`SELECT kind || ' ' || left((carried_at IS NOT NULL)::text, 1) FROM plan_request`))
	events := len(h.Fake.Bodies("tsne"))
	h.Fake.Advance(10 * 24 * time.Hour)
	for _, body := range h.Fake.Bodies("tsne")[events:] {
		require.NotEqual(t, "invoice.payment_failed", h.ParseEvent(body).Type)
	}
	require.Equal(t, plan.Active, reload(t, h, p).Status)
}
