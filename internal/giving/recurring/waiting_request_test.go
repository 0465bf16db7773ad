package recurring_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/billing"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/recurring"
	"konbit/internal/processor/stripepay"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// bySession returns a donor's request with a submission id.
func bySession(p plan.Plan, submission string) recurring.DonorRequest {
	return recurring.DonorRequest{PlanID: p.ID, SubmissionID: submission, Channel: planlink.BySession}
}

// openDispute says that the bank disputes the plan's first payment, without running the jobs that follow.
func openDispute(t *testing.T, h *program.Program, p plan.Plan, state plan.DisputeState) {
	t.Helper()
	charge := h.Lines(`SELECT charge_ref FROM payment WHERE donation_id = $1`, p.ID)[0]
	job := plan.DisputeJob{EntityID: p.EntityID, Dispute: "dp_1", Charge: charge, State: state, At: h.Fake.Now()}
	require.NoError(t, h.Plans.FollowDispute(t.Context(), job))
}

func remotePause(t *testing.T, h *program.Program, p plan.Plan) (paused bool, until *time.Time) {
	t.Helper()
	s, err := h.Stripe.ReadSubscription(t.Context(), "tsne", *reload(t, h, p).SubscriptionID)
	require.NoError(t, err)
	return s.Paused, s.PausedUntil
}

// requireHeld requires that a disputed plan is paused without an end, here and at Stripe, and is not charged.
func requireHeld(t *testing.T, h *program.Program, p plan.Plan) {
	t.Helper()
	p = reload(t, h, p)
	paused, until := remotePause(t, h, p)
	require.Equal(t, []any{true, (*time.Time)(nil)}, []any{paused, until})
	require.Equal(t, []any{plan.Paused, (*time.Time)(nil), (*time.Time)(nil)}, []any{p.Status, p.PausedUntil, p.NextAt})
	payments := h.Count(`SELECT count(*) FROM payment`)
	h.Fake.Advance(95 * 24 * time.Hour)
	deliverAll(t, h)
	require.Equal(t, payments, h.Count(`SELECT count(*) FROM payment`))
	require.Equal(t, []string{"plan_payment_disputed"}, h.Lines(`SELECT kind FROM finance_task WHERE closed_at IS NULL`))
}

// TestStopWhoseAnswerWasLost: Stripe ended the subscription as the donor asked, and the connection broke before the
// answer. The donor asked for the end, also if an event reports it first.
func TestStopWhoseAnswerWasLost(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *program.Program, plan.Plan, uuid.UUID){
		"the event arrives": func(t *testing.T, h *program.Program, p plan.Plan, stop uuid.UUID) {
			require.NoError(t, h.Fake.SetFaults(stripefake.Faults{Rate: 1, Kinds: []string{"cut"}, Only: "DELETE /v1/subscriptions", Times: 3}))
			require.Error(t, h.Plans.ExecuteRequest(t.Context(), stop))
			require.NoError(t, h.Fake.SetFaults(stripefake.Faults{}))
			h.DeliverNew()
			h.DrainAll()
			require.NoError(t, h.Plans.SyncPlan(t.Context(), p.ID))
		},
		"Stripe gives up before the call": func(t *testing.T, h *program.Program, p plan.Plan, _ uuid.UUID) {
			require.NoError(t, h.Fake.FailCard(*p.SubscriptionID, "insufficient_funds", 0))
			h.Fake.Advance(p.NextAt.Sub(h.Fake.Now()) + 30*24*time.Hour)
			h.DeliverNew()
			h.DrainAll()
			require.NoError(t, h.Plans.SyncPlan(t.Context(), p.ID))
		},
		"a dispute is lost before the call": func(t *testing.T, h *program.Program, p plan.Plan, _ uuid.UUID) {
			openDispute(t, h, p, plan.DisputeLost)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := program.New(t, program.Options{})
			p := startPlan(t, h, monthly(""))
			stop, err := h.Plans.Cancel(t.Context(), bySession(p, "a"), "")
			require.NoError(t, err)
			end(t, h, p, stop)
			for range 2 { // then the request itself is executed, and changes nothing more
				p = reload(t, h, p)
				require.Equal(t, []any{plan.Cancelled, plan.Asked}, []any{p.Status, because(p)})
				require.Equal(t, []string{"cancelled"}, emailsOf(h, p))
				deliverAll(t, h)
			}
			require.Equal(t, "canceled", status(t, h, p))
			require.Zero(t, h.Count(`SELECT count(*) FROM plan_request WHERE carried_at IS NULL`))
			require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
		})
	}
}

// TestStopOfAMissingSubscription: a subscription that does not exist has ended. If its customer is missing too, the key
// is of another account: the stop waits for the right key, with a task.
func TestStopOfAMissingSubscription(t *testing.T) {
	h := program.New(t, program.Options{})
	gone, kept := startPlan(t, h, monthly("")), startPlan(t, h, monthly(""))
	h.Exec(`UPDATE plan SET subscription_id = 'sub_gone' WHERE id = $1`, gone.ID)
	_, err := h.Plans.Cancel(t.Context(), bySession(gone, "a"), "")
	gone = afterRequest(t, h, gone, err)
	require.Equal(t, []any{plan.Cancelled, plan.Asked}, []any{gone.Status, because(gone)})
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))

	own := h.Plans.Billing
	wrong, err := stripepay.New(map[string]stripepay.Keys{"tsne": {Secret: program.StripeKeys["aina"]}}, h.FakeURL, h.Log.Logger())
	require.NoError(t, err)
	h.Plans.Billing = wrong
	for _, request := range []func() (uuid.UUID, error){
		func() (uuid.UUID, error) { return h.Plans.Pause(t.Context(), bySession(kept, "b"), 1) },
		func() (uuid.UUID, error) { return h.Plans.Cancel(t.Context(), bySession(kept, "c"), "") },
	} {
		_, err = request()
		kept = afterRequest(t, h, kept, err)
	}
	require.Equal(t, plan.Active, kept.Status)
	require.Equal(t, []string{"plan_request_stuck", "plan_request_stuck"}, h.Lines(`SELECT kind FROM finance_task`))
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM plan_request WHERE carried_at IS NULL AND refused IS NULL`))
	h.Plans.Billing = own
	deliverAll(t, h)
	require.Equal(t, plan.Cancelled, reload(t, h, kept).Status)
	require.Equal(t, "canceled", status(t, h, kept))
}

// TestRequestThatWaitsEndsNoHold: a donor's request waits, and the bank disputes a payment before it is executed.
func TestRequestThatWaitsEndsNoHold(t *testing.T) {
	for name, request := range map[string]func(*testing.T, *program.Program, plan.Plan) error{
		"resume": func(t *testing.T, h *program.Program, p plan.Plan) error {
			_, err := h.Plans.Pause(t.Context(), bySession(p, "a"), 1)
			afterRequest(t, h, p, err)
			_, err = h.Plans.Resume(t.Context(), bySession(p, "b"))
			return err
		},
		"pause": func(t *testing.T, h *program.Program, p plan.Plan) error {
			_, err := h.Plans.Pause(t.Context(), bySession(p, "a"), 1)
			return err
		},
		"skip": func(t *testing.T, h *program.Program, p plan.Plan) error {
			_, err := h.Plans.Skip(t.Context(), bySession(p, "a"))
			return err
		},
		"another card": func(t *testing.T, h *program.Program, p plan.Plan) error {
			require.NoError(t, h.Fake.FailCard(*p.SubscriptionID, "insufficient_funds", 0))
			advanceToNextCharge(t, h, p)
			_, _, err := h.Plans.UpdatePaymentMethod(t.Context(), p.DonorID, "en", h.URL)
			require.NoError(t, err)
			_, err = h.Fake.ReplaceCard(*p.CustomerID, stripefake.GoodCard)
			require.NoError(t, err)
			h.DeliverNew()
			h.DrainAll()
			card, err := uuid.Parse(h.Lines(`SELECT id::text FROM plan_request WHERE kind = 'card'`)[0])
			require.NoError(t, err)
			return h.Plans.ExecuteRequest(t.Context(), card)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := program.New(t, program.Options{})
			p := startPlan(t, h, monthly(""))
			require.NoError(t, request(t, h, p))
			openDispute(t, h, p, plan.DisputeOpen)
			emails := len(emailsOf(h, p))
			deliverAll(t, h)
			require.Equal(t, []string{"held"}, emailsOf(h, p)[emails:])
			require.Equal(t, 1, h.Count(`SELECT count(*) FROM plan_request WHERE refused IS NOT NULL`))
			require.Equal(t, 1, h.Count(`SELECT count(*) FROM payment`))
			requireHeld(t, h, p)
		})
	}
}

// lateResume is Stripe, where the call that resumes a subscription arrives after all that before does.
type lateResume struct {
	billing.Subscriptions
	before func()
}

func (b *lateResume) Resume(ctx context.Context, o billing.Target) (time.Time, error) {
	b.before()
	return b.Subscriptions.Resume(ctx, o)
}

// TestDisputedPlanIsHeldAgain: a call that was on its way when the dispute was opened, or a person at Stripe, ended the
// pause.
func TestDisputedPlanIsHeldAgain(t *testing.T) {
	h := program.New(t, program.Options{})
	p := startPlan(t, h, monthly(""))
	_, err := h.Plans.Pause(t.Context(), bySession(p, "a"), 1)
	p = afterRequest(t, h, p, err)
	resume, err := h.Plans.Resume(t.Context(), bySession(p, "b"))
	require.NoError(t, err)
	other := h.Plans
	h.Plans.Billing = &lateResume{Subscriptions: h.Stripe, before: func() {
		openDispute(t, h, p, plan.DisputeOpen)
		hold, err := uuid.Parse(h.Lines(`SELECT id::text FROM plan_request WHERE kind = 'hold'`)[0])
		require.NoError(t, err)
		require.NoError(t, other.ExecuteRequest(t.Context(), hold))
	}}
	require.NoError(t, h.Plans.ExecuteRequest(t.Context(), resume))
	h.Plans.Billing = h.Stripe
	paused, _ := remotePause(t, h, p)
	require.False(t, paused, "the call came last")
	deliverAll(t, h)
	require.Equal(t, []string{"paused", "held"}, emailsOf(h, p))
	requireHeld(t, h, p)

	require.NoError(t, h.Fake.PauseAtDashboard(*p.SubscriptionID, false))
	deliverAll(t, h)
	require.Equal(t, []string{"paused", "held"}, emailsOf(h, p))
	requireHeld(t, h, p)
}

// refusingBilling is Stripe, which refuses to pause a subscription.
type refusingBilling struct{ billing.Subscriptions }

func (refusingBilling) Pause(context.Context, billing.Target, *time.Time, bool) error {
	return errors.New("refused")
}

// TestChangeAtStripeWhileARequestWaits: the donor gets an email about what a person changes at Stripe, also if a
// request of the donor waits meanwhile.
func TestChangeAtStripeWhileARequestWaits(t *testing.T) {
	sync := func(t *testing.T, h *program.Program, p plan.Plan) {
		h.DeliverNew()
		h.DrainAll()
		require.NoError(t, h.Plans.SyncPlan(t.Context(), p.ID))
	}
	t.Run("a change of the amount", func(t *testing.T) {
		h := program.New(t, program.Options{})
		p := startPlan(t, h, monthly(""))
		f := monthly("")
		f.Amount, f.AmountOther = "other", "30"
		to, err := f.CheckTerms(h.Offer("csio"))
		require.NoError(t, err)
		next := p.NextAt.AddDate(0, 0, 5)
		_, err = h.Plans.Change(t.Context(), bySession(p, "a"), to, &next)
		require.NoError(t, err)
		require.NoError(t, h.Fake.PauseAtDashboard(*p.SubscriptionID, true))
		sync(t, h, p)
		require.Equal(t, []string{"paused at stripe"}, emailsOf(h, p))
		deliverAll(t, h)
		require.Equal(t, []string{"paused at stripe", "changed"}, emailsOf(h, p))
		require.Zero(t, h.Count(`SELECT count(*) FROM plan_event WHERE kind = 'changed' AND detail->>'next' IS NOT NULL`), "nothing is charged next")
		p = reload(t, h, p)
		require.Equal(t, []any{plan.Paused, int64(3000)}, []any{p.Status, p.AmountMinor})
	})
	t.Run("a pause that Stripe refuses", func(t *testing.T) {
		h := program.New(t, program.Options{})
		p := startPlan(t, h, monthly(""))
		_, err := h.Plans.Pause(t.Context(), bySession(p, "a"), 2)
		require.NoError(t, err)
		require.NoError(t, h.Fake.PauseAtDashboard(*p.SubscriptionID, true))
		sync(t, h, p)
		require.Empty(t, emailsOf(h, p), "it may be the donor's own")
		require.Equal(t, plan.Active, reload(t, h, p).Status)
		h.Plans.Billing = refusingBilling{h.Stripe}
		deliverAll(t, h)
		require.Equal(t, []string{"paused at stripe"}, emailsOf(h, p))
		require.Equal(t, plan.Paused, reload(t, h, p).Status)
	})
	t.Run("another end of the donor's pause, and of the gift", func(t *testing.T) {
		h := program.New(t, program.Options{})
		p := startPlan(t, h, monthly(""))
		_, err := h.Plans.Pause(t.Context(), bySession(p, "a"), 2)
		p = afterRequest(t, h, p, err)
		deliverAll(t, h)
		require.Equal(t, []string{"paused"}, emailsOf(h, p))
		require.NoError(t, h.Fake.PauseAtDashboard(*p.SubscriptionID, true))
		require.NoError(t, h.Fake.CancelAtPeriodEnd(*p.SubscriptionID, true))
		deliverAll(t, h)
		require.Equal(t, []string{"paused", "end set", "paused at stripe"}, emailsOf(h, p))
	})
}

// TestOnePlanThatCannotBeReadKeepsNobodysReminders: it is passed over and tried again.
func TestOnePlanThatCannotBeReadKeepsNobodysReminders(t *testing.T) {
	h := program.New(t, program.Options{})
	f := monthly("")
	f.Frequency = "quarterly"
	bad, good := startPlan(t, h, f), startPlan(t, h, withForm(f))
	h.Fake.Advance(good.NextAt.Sub(h.Fake.Now()) - 6*24*time.Hour)
	for _, p := range []plan.Plan{bad, good} {
		require.NoError(t, h.Fake.SetCardExpiry(*p.SubscriptionID, h.Fake.Now().Format("01/06"), true))
	}
	deliverAll(t, h)
	subscription := *bad.SubscriptionID
	h.Exec(`UPDATE plan SET subscription_id = 'sub_of_another_account' WHERE id = $1`, bad.ID)
	n, err := h.Plans.QueueReminders(t.Context())
	require.ErrorContains(t, err, bad.ID.String())
	require.Equal(t, 2, n)
	require.Equal(t, []string{"upcoming", "card expires"}, emailsOf(h, good))
	require.Empty(t, emailsOf(h, bad))
	h.Exec(`UPDATE plan SET subscription_id = $2 WHERE id = $1`, bad.ID, subscription)
	n, err = h.Plans.QueueReminders(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, []string{"upcoming", "card expires"}, emailsOf(h, bad))
}

// TestStopOvertakesAChange: a change waits for Stripe, and the donor's stop is executed first. The change means nothing any
// more: it is dropped without a task, also if only Stripe knows of the end yet.
func TestStopOvertakesAChange(t *testing.T) {
	for name, stop := range map[string]func(*testing.T, *program.Program, plan.Plan, uuid.UUID){
		"the plan has ended": func(t *testing.T, h *program.Program, _ plan.Plan, stop uuid.UUID) {
			require.NoError(t, h.Plans.ExecuteRequest(t.Context(), stop))
		},
		"the answer was lost": func(t *testing.T, h *program.Program, p plan.Plan, _ uuid.UUID) {
			require.NoError(t, h.Stripe.End(t.Context(), billing.Target{Entity: "tsne", Subscription: *p.SubscriptionID, Key: "k"}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := program.New(t, program.Options{})
			p := startPlan(t, h, monthly(""))
			pause, err := h.Plans.Pause(t.Context(), bySession(p, "a"), 1)
			require.NoError(t, err)
			cancel, err := h.Plans.Cancel(t.Context(), bySession(p, "b"), "")
			require.NoError(t, err)
			stop(t, h, p, cancel)
			require.NoError(t, h.Plans.ExecuteRequest(t.Context(), pause))
			require.Equal(t, 1, h.Count(`SELECT count(*) FROM plan_request WHERE kind = 'pause' AND refused LIKE 'recurring: the plan has ended%'`))
			deliverAll(t, h)
			require.Equal(t, []any{plan.Cancelled, plan.Asked}, []any{reload(t, h, p).Status, because(reload(t, h, p))})
			require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
		})
	}
}
