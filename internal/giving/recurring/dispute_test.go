package recurring_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/fault"
	"konbit/internal/workshop/testkit/program"
)

// afterDispute delivers the events of a dispute, imports the balance, and returns the plan.
func afterDispute(t *testing.T, h *program.Program, p plan.Plan) plan.Plan {
	t.Helper()
	deliverAll(t, h)
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	deliverAll(t, h)
	return reload(t, h, p)
}

// disputedPlan returns a plan with two payments. The second has an inquiry, and then a dispute.
func disputedPlan(t *testing.T, h *program.Program) (p plan.Plan, dispute string) {
	t.Helper()
	p = advanceToNextCharge(t, h, startPlan(t, h, monthly("")))
	intent := h.Lines(`SELECT y.intent_ref FROM instalment i JOIN payment y ON y.donation_id = i.donation_id WHERE i.n = 2`)[0]
	dispute, err := h.Fake.Dispute(intent, true)
	require.NoError(t, err)
	p = afterDispute(t, h, p)
	require.Equal(t, plan.Active, p.Status, "an inquiry withdraws nothing")
	require.NoError(t, h.Fake.CloseDispute(dispute, "escalated"))
	return afterDispute(t, h, p), dispute
}

// TestDisputedPaymentHoldsItsPlan: a monthly payment was disputed as fraud, and the plan was charged on.
func TestDisputedPaymentHoldsItsPlan(t *testing.T) {
	h := program.New(t, program.Options{})
	p, dispute := disputedPlan(t, h)
	require.Equal(t, []any{plan.Paused, (*time.Time)(nil)}, []any{p.Status, p.NextAt})
	require.NotNil(t, p.DisputedSince)
	require.Equal(t, []string{"held"}, emailsOf(h, p))
	require.Equal(t, []string{"plan_payment_disputed " + dispute}, h.Lines(`SELECT kind || ' ' || subject FROM finance_task WHERE closed_at IS NULL`))
	remote, err := h.Stripe.ReadSubscription(t.Context(), "tsne", *p.SubscriptionID)
	require.NoError(t, err)
	require.True(t, remote.Paused && remote.PausedUntil == nil)
	_, err = h.Plans.Resume(t.Context(), recurring.DonorRequest{PlanID: p.ID, SubmissionID: "a", Channel: planlink.BySession})
	require.True(t, fault.Is(err, fault.Conflict))
	h.Fake.Advance(65 * 24 * time.Hour)
	p = afterDispute(t, h, p)
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM payment`), "nothing was charged meanwhile")

	require.NoError(t, h.Fake.CloseDispute(dispute, "lost"))
	p = afterDispute(t, h, p)
	require.Equal(t, []any{plan.Cancelled, plan.Disputed}, []any{p.Status, because(p)})
	require.Equal(t, "canceled", status(t, h, p))
	require.Equal(t, []string{"held", "stopped by dispute"}, emailsOf(h, p))
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task WHERE closed_at IS NULL`))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM river_job WHERE kind = 'receipt_void_letter'`))
	h.Fake.Advance(365 * 24 * time.Hour)
	deliverAll(t, h)
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM payment`))
}

// TestWonDisputeLeavesThePlanToItsDonor: it stays paused until the donor resumes it.
func TestWonDisputeLeavesThePlanToItsDonor(t *testing.T) {
	h := program.New(t, program.Options{})
	p, dispute := disputedPlan(t, h)
	require.NoError(t, h.Fake.CloseDispute(dispute, "won"))
	p = afterDispute(t, h, p)
	require.Equal(t, []any{plan.Paused, (*time.Time)(nil)}, []any{p.Status, p.DisputedSince})
	require.Equal(t, []string{"held", "dispute won"}, emailsOf(h, p))
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task WHERE closed_at IS NULL`))
	_, err := h.Plans.Resume(t.Context(), recurring.DonorRequest{PlanID: p.ID, SubmissionID: "a", Channel: planlink.BySession})
	require.NoError(t, err)
	deliverAll(t, h)
	require.Equal(t, plan.Active, reload(t, h, p).Status)
}

// TestDisputeEventsInAnyOrder: a dispute that has ended does not open again, and repeats change nothing.
func TestDisputeEventsInAnyOrder(t *testing.T) {
	h := program.New(t, program.Options{})
	p := startPlan(t, h, monthly(""))
	charge := h.Lines(`SELECT charge_ref FROM payment`)[0]
	said := func(dispute string, state plan.DisputeState) plan.Plan {
		job := plan.DisputeJob{EntityID: p.EntityID, Dispute: dispute, Charge: charge, State: state, At: h.Fake.Now()}
		for range 2 {
			require.NoError(t, h.Plans.FollowDispute(t.Context(), job))
		}
		deliverAll(t, h)
		return reload(t, h, p)
	}
	said("dp_1", plan.DisputeWon)
	require.Nil(t, said("dp_1", plan.DisputeOpen).DisputedSince)
	require.NotNil(t, said("dp_2", plan.DisputeOpen).DisputedSince)
	require.NotNil(t, said("dp_3", plan.DisputeOpen).DisputedSince)
	require.NotNil(t, said("dp_2", plan.DisputeWon).DisputedSince, "another one is open")
	require.Equal(t, plan.Cancelled, said("dp_3", plan.DisputeLost).Status)
	require.Equal(t, []string{"held", "stopped by dispute"}, emailsOf(h, p))

	unknown := plan.DisputeJob{EntityID: p.EntityID, Dispute: "dp_4", Charge: "ch_unknown", State: plan.DisputeOpen, At: h.Fake.Now()}
	require.Error(t, h.Plans.FollowDispute(t.Context(), unknown), "its charge may come")
	unknown.At = h.Fake.Now().Add(-11 * 24 * time.Hour)
	require.NoError(t, h.Plans.FollowDispute(t.Context(), unknown), "it is older than the books")
}
