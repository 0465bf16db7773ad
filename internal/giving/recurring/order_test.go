package recurring_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/workshop/testkit/program"
)

// firstPaymentEvents are the types of events about a plan's first payment. They can arrive in any order.
var firstPaymentEvents = []string{"checkout.session.completed", "customer.subscription.created", "invoice.paid", "payment_intent.succeeded"}

// permutations returns all orders of things.
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

// paidPlan returns a plan of twelve payments whose payment page was completed, with Stripe's events about it by their
// type.
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

// state describes a plan, its donation, invoices, requests, events and receipts, without ids and times.
func state(h *program.Program, d donation.Donation) string {
	id := d.ID.String()
	return fmt.Sprintf("donation: %s; plan: %v; invoices: %v; requests: %v; events: %v; receipts: %d", h.State(d),
		h.Lines(`SELECT concat_ws(' ', status, paid, total, iterations, subscription_id IS NOT NULL, schedule_id IS NOT NULL, card_last4, next_at IS NOT NULL) FROM plan WHERE id = $1`, id),
		h.Lines(`SELECT concat_ws(' ', n, first, donation_id = plan_id) FROM instalment WHERE plan_id = $1`, id),
		h.Lines(`SELECT concat_ws(' ', kind, subject, carried_at IS NOT NULL) FROM plan_request WHERE plan_id = $1 ORDER BY 1`, id),
		h.Lines(`SELECT kind FROM plan_event WHERE plan_id = $1 ORDER BY 1`, id),
		h.Count(`SELECT count(*) FROM receipt r JOIN instalment i USING (donation_id) WHERE i.plan_id = $1`, id))
}

// TestEveryOrderOfEventsLeadsToTheSameEnd: every event arrives twice; the charge's event arrives first, last, in
// between, or not at all.
func TestEveryOrderOfEventsLeadsToTheSameEnd(t *testing.T) {
	h := program.New(t, program.Options{})
	const want = "donation: " + program.SettledOnce + "; plan: [active 1 12 12 t t 4242 t]; invoices: [1 t t]; requests: [schedule  t]; events: [begun]; receipts: 1"
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
				h.RunPlanJobs() // in a third of the orders jobs run between the events
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

// TestOneEventAloneIsEnough: any one event about the payment leads to the same state.
func TestOneEventAloneIsEnough(t *testing.T) {
	h := program.New(t, program.Options{})
	for _, kind := range append(slices.Clone(firstPaymentEvents), "charge.succeeded") {
		if kind == "customer.subscription.created" {
			continue // says nothing about a payment
		}
		d, events := paidPlan(t, h)
		h.Deliver(events[kind])
		h.DrainAll()
		for range 3 {
			h.RetryParked()
			h.RunPlanJobs()
		}
		require.Contains(t, state(h, d), "donation: "+program.SettledOnce+"; plan: [active 1 12 12 t t 4242 t]", kind)
	}
}
