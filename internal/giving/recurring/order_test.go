package recurring_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/workshop/testkit/program"
)

// told are the events that tell of a plan's first payment. Each of them alone, and in any order, has to lead to the same end.
var firstPaymentEvents = []string{"checkout.session.completed", "customer.subscription.created", "invoice.paid", "payment_intent.succeeded"}

// orders are all orders of things.
func permutations(things []string) [][]string {
	if len(things) < 2 {
		return [][]string{things}
	}
	var all [][]string
	for i, first := range things {
		for _, rest := range permutations(slices.Delete(slices.Clone(things), i, i+1)) {
			all = append(all, append([]string{first}, rest...))
		}
	}
	return all
}

// paidPlan is a plan of twelve whose page was paid, with what the stand-in told of it, by type.
func paidPlan(t *testing.T, h *program.Program) (donation.Donation, map[string]program.Event) {
	t.Helper()
	d := h.StartedGift(monthly("12"))
	before := len(h.Fake.Bodies("tsne"))
	h.Pay(d)
	events := map[string]program.Event{}
	for _, body := range h.Fake.Bodies("tsne")[before:] {
		e := h.ParseEvent(body)
		events[e.Type] = e
	}
	return d, events
}

// state says in words all that became of a plan, without ids and times.
func state(h *program.Program, d donation.Donation) string {
	id := d.ID.String()
	return fmt.Sprintf("gift: %s; plan: %v; bills: %v; requests: %v; events: %v; receipts: %d", h.State(d),
		h.Lines(`SELECT concat_ws(' ', status, paid, total, iterations, subscription_id IS NOT NULL, schedule_id IS NOT NULL, card_last4, next_at IS NOT NULL) FROM plan WHERE id = $1`, id),
		h.Lines(`SELECT concat_ws(' ', n, first, donation_id = plan_id) FROM instalment WHERE plan_id = $1`, id),
		h.Lines(`SELECT concat_ws(' ', kind, subject, carried_at IS NOT NULL) FROM plan_request WHERE plan_id = $1 ORDER BY 1`, id),
		h.Lines(`SELECT kind FROM plan_event WHERE plan_id = $1 ORDER BY 1`, id),
		h.Count(`SELECT count(*) FROM receipt r JOIN instalment i USING (donation_id) WHERE i.plan_id = $1`, id))
}

// TestEveryOrderOfEventsLeadsToTheSameEnd: with the charge told of first, last, between, or not at all, and everything told twice.
func TestEveryOrderOfEventsLeadsToTheSameEnd(t *testing.T) {
	h := program.New(t, program.Options{})
	const want = "gift: " + program.SettledOnce + "; plan: [active 1 12 12 t t 4242 t]; bills: [1 t t]; requests: [schedule  t]; events: [begun]; receipts: 1"
	for i, order := range permutations(firstPaymentEvents) {
		d, events := paidPlan(t, h)
		if at := i % (len(order) + 2); at <= len(order) {
			order = slices.Insert(slices.Clone(order), at, "charge.succeeded")
		}
		for _, kind := range order {
			require.Contains(t, events, kind)
			h.Deliver(events[kind], events[kind])
			h.DrainAll()
			if i%3 == 0 {
				h.RunPlanJobs() // jobs between the events, or only after them
			}
		}
		for range 3 {
			h.RetryParked()
			h.RunPlanJobs()
		}
		require.Equal(t, want, state(h, d), "%v", order)
	}
	require.Zero(t, h.Count(`SELECT count(*) FROM stripe_event WHERE state <> 'done'`))
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
}

// TestOneEventAloneIsEnough: whichever of those comes that tell of money, what else happened is found out.
func TestOneEventAloneIsEnough(t *testing.T) {
	h := program.New(t, program.Options{})
	for _, kind := range append(slices.Clone(firstPaymentEvents), "charge.succeeded") {
		if kind == "customer.subscription.created" {
			continue // a sweep takes in the others
		}
		d, events := paidPlan(t, h)
		h.Deliver(events[kind])
		h.DrainAll()
		for range 3 {
			h.RetryParked()
			h.RunPlanJobs()
		}
		require.Contains(t, state(h, d), "gift: "+program.SettledOnce+"; plan: [active 1 12 12 t t 4242 t]", kind)
	}
}
