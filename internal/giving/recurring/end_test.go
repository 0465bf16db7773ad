package recurring_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/recurring"
	"konbit/internal/platform/fault"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// away is Stripe, some of whose answers cannot be had.
type away struct {
	recurring.Billing
	schedule, end bool
}

var errAway = fault.Wrap(fault.Unavailable, "problem.503.text", errors.New("away"))

func (a *away) Schedule(ctx context.Context, o recurring.Order, n func(time.Time, time.Time) int) (recurring.Schedule, error) {
	if a.schedule {
		return recurring.Schedule{}, errAway
	}
	return a.Billing.Schedule(ctx, o, n)
}

func (a *away) End(ctx context.Context, o recurring.Order) error {
	if a.end {
		return errAway
	}
	return a.Billing.End(ctx, o)
}

// renew lets the plan's next charge come, and tells of it.
func renew(t *testing.T, h *program.Program, p recurring.Plan) recurring.Plan {
	t.Helper()
	h.Fake.Advance(p.NextAt.Sub(h.Fake.Now()) + 2*time.Hour)
	settle(t, h)
	return again(t, h, p)
}

func status(t *testing.T, h *program.Program, p recurring.Plan) string {
	t.Helper()
	s, err := h.Stripe.Read(t.Context(), "tsne", *p.SubscriptionID)
	require.NoError(t, err)
	return s.Status
}

// TestPlanWhoseScheduleIsNeverMadeEndsAllTheSame: the count is kept here.
func TestPlanWhoseScheduleIsNeverMadeEndsAllTheSame(t *testing.T) {
	h := program.New(t, program.Options{})
	stripe := &away{Billing: h.Stripe, schedule: true}
	h.Plans.Billing = stripe
	p := begun(t, h, monthly("2"))
	require.Zero(t, p.Iterations)
	h.Fake.Advance(25 * time.Hour)
	_, err := h.Plans.Reconcile(t.Context())
	require.ErrorIs(t, err, errAway)
	require.Equal(t, []string{"plan_request_stuck"}, h.Lines(`SELECT kind FROM finance_task`), "finance is told after a day")
	p = renew(t, h, p)
	require.Equal(t, recurring.Finished, p.Status)
	require.Equal(t, "canceled", status(t, h, p))
	h.Fake.Advance(90 * 24 * time.Hour)
	settle(t, h)
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM donation WHERE status = 'settled'`))
}

// TestPaymentBeyondThePlanIsGivenBack: should Stripe not be told in time that a plan is over, what it charges then goes back.
func TestPaymentBeyondThePlanIsGivenBack(t *testing.T) {
	h := program.New(t, program.Options{})
	stripe := &away{Billing: h.Stripe, schedule: true, end: true}
	h.Plans.Billing = stripe
	p := renew(t, h, begun(t, h, monthly("2")))
	require.Equal(t, recurring.Finished, p.Status)
	h.Fake.Advance(31 * 24 * time.Hour) // nobody could end it
	stripe.end = false
	settle(t, h)
	p = again(t, h, p)
	require.Equal(t, 2, p.Paid)
	require.Equal(t, "canceled", status(t, h, p))
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM receipt`))
	require.Contains(t, h.Lines(`SELECT kind FROM finance_task`), "payment_beyond_plan")
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, h.Count(`SELECT coalesce(sum(amount), 0) FROM posting WHERE account_code = '1090'`), "it came and went")
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task WHERE closed_at IS NULL AND kind IN ('payment_beyond_plan', 'movement_does_not_fit')`))
	require.Equal(t, 4000, h.Count(`SELECT -sum(amount)::int FROM posting WHERE account_code = '4100'`))
}

// TestMissingScheduleIsMade by the reconciler, whatever became of its job.
func TestMissingScheduleIsMade(t *testing.T) {
	h := program.New(t, program.Options{})
	d, events := paidPlan(t, h)
	h.Deliver(events["invoice.paid"], events["charge.succeeded"])
	h.DrainAll()
	h.Exec(`DELETE FROM river_job`)
	h.Fake.Advance(time.Hour)
	_, err := h.Plans.Reconcile(t.Context())
	require.NoError(t, err)
	require.Equal(t, 12, plan(t, h, d).Iterations)
}

// TestPlansBegunLateInAMonthChargeInEveryMonth, over the change of clocks too.
func TestPlansBegunLateInAMonthChargeInEveryMonth(t *testing.T) {
	h := program.New(t, program.Options{})
	january := time.Date(h.Fake.Now().Year()+1, 1, 29, 12, 30, 0, 0, time.UTC)
	h.Starter.Now = h.Fake.Now
	for day := range 3 {
		h.Fake.Advance(january.AddDate(0, 0, day).Sub(h.Fake.Now()))
		begun(t, h, monthly("4"))
	}
	for range 4 {
		h.Fake.Advance(29 * 24 * time.Hour)
		settle(t, h)
	}
	require.Equal(t, []string{"3 finished"}, h.Lines(`SELECT count(*) || ' ' || status FROM plan GROUP BY status`))
	require.Equal(t, 12, h.Count(`SELECT count(DISTINCT (g.charged_at AT TIME ZONE 'UTC')::date || i.plan_id::text)
		FROM donation g JOIN instalment i ON i.donation_id = g.id`))
	require.Equal(t, []string{"1: 1 2 3 4"}, h.Lines(`SELECT DISTINCT '1: ' || string_agg(extract(month FROM g.charged_at AT TIME ZONE 'UTC')::text, ' ' ORDER BY i.n)
		FROM donation g JOIN instalment i ON i.donation_id = g.id GROUP BY i.plan_id`), "each month has its charge")
}

// mending is a plan with a customer that is known, as a donor begins it who has shown who they are.
func mending(t *testing.T, h *program.Program, customer string) recurring.Plan {
	t.Helper()
	offer := h.Offer("csio")
	r, err := monthly("").Check(offer)
	require.NoError(t, err)
	r.Customer = customer
	d, err := h.Starter.Start(t.Context(), offer, r)
	require.NoError(t, err)
	h.Pay(d)
	settle(t, h)
	return plan(t, h, d)
}

// TestCardMendedOnceMendsBothPlans: the card fails at the renewal, its donor is told why once for each plan, and one new card pays
// both bills and all that follow.
func TestCardMendedOnceMendsBothPlans(t *testing.T) {
	h := program.New(t, program.Options{})
	one := mending(t, h, "")
	two := mending(t, h, *one.CustomerID)
	require.Equal(t, *one.CustomerID, *two.CustomerID)
	for _, p := range []recurring.Plan{one, two} {
		require.NoError(t, h.Fake.FailCard(*p.SubscriptionID, "insufficient_funds", 0))
	}
	one = renew(t, h, one)
	require.NotNil(t, one.FailingSince)
	require.Equal(t, "insufficient_funds", *one.FailingCode)
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM plan_event WHERE kind = 'payment failed'`))
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM river_job WHERE kind = 'plan_letter'`))

	address, plans, err := h.Plans.MendCard(t.Context(), one.DonorID, "es", h.URL)
	require.NoError(t, err)
	require.Equal(t, 2, plans)
	require.NotEmpty(t, address)
	_, err = h.Fake.ReplaceCard(*one.CustomerID, stripefake.GoodCard)
	require.NoError(t, err)
	settle(t, h)
	for _, p := range []recurring.Plan{one, two} {
		p = again(t, h, p)
		require.Nil(t, p.FailingSince)
		require.Equal(t, 2, p.Paid)
	}
	renew(t, h, again(t, h, two))
	require.Equal(t, []string{"3", "3"}, h.Lines(`SELECT paid::text FROM plan`))
	require.Equal(t, 6, h.Count(`SELECT count(*) FROM receipt`))
}

// TestHopelessCardIsNotTriedAgain: and no retry comes.
func TestHopelessCardIsNotTriedAgain(t *testing.T) {
	h := program.New(t, program.Options{})
	p := begun(t, h, monthly(""))
	require.NoError(t, h.Fake.FailCard(*p.SubscriptionID, "stolen_card", 0))
	p = renew(t, h, p)
	require.Equal(t, []string{"rest t"}, h.Lines(`SELECT kind || ' ' || left((carried_at IS NOT NULL)::text, 1) FROM plan_request`))
	tried := len(h.Fake.Bodies("tsne"))
	h.Fake.Advance(10 * 24 * time.Hour)
	for _, body := range h.Fake.Bodies("tsne")[tried:] {
		require.NotEqual(t, "invoice.payment_failed", h.ParseEvent(body).Type)
	}
	require.Equal(t, recurring.Active, again(t, h, p).Status)
}
