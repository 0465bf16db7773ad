package recurring_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/recurring"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// because returns why a plan ended.
func because(p plan.Plan) plan.Cause {
	if p.EndedBecause == nil {
		return ""
	}
	return *p.EndedBecause
}

// emailsOf lists the events of a plan that have an email, in order, but not its payments.
func emailsOf(h *program.Program, p plan.Plan) []string {
	return h.Lines(`SELECT e.kind FROM plan_event e JOIN river_job j ON j.args->>'event_id' = e.id::text WHERE e.plan_id = $1 ORDER BY e.at, e.id`, p.ID)
}

// TestPriceChangedAtStripe: staff change a gift of $20 to $30 at Stripe. The page said $20 for ever, and every payment was
// held without a receipt.
func TestPriceChangedAtStripe(t *testing.T) {
	h := program.New(t, program.Options{})
	f := monthly("")
	f.Fund, f.Split, f.CoverFees = "", map[string]string{"general": "15", "network": "5"}, true
	p := startPlan(t, h, f)
	first := p.AmountMinor
	require.NoError(t, h.Fake.ChangePrice(*p.SubscriptionID, stripefake.PriceChange{Amount: 3000}))
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Equal(t, []int64{3000, 2}, []int64{p.AmountMinor, int64(p.Terms)})
	require.Equal(t, []string{"changed at stripe"}, emailsOf(h, p))
	p = advanceToNextCharge(t, h, p)
	p = advanceToNextCharge(t, h, p)
	require.Equal(t, 3, p.Paid)
	require.Equal(t, []string{"general 2250", "network 750"}, h.Lines(`SELECT f.slug || ' ' || d.amount FROM instalment i
		JOIN designation d ON d.donation_id = i.donation_id JOIN fund f ON f.id = d.fund_id WHERE i.n = 3 ORDER BY f.slug`))
	require.Equal(t, int(first)+2*3000, h.Count(`SELECT sum((facts->'amount'->>'minor')::int) FROM receipt`))
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
	require.Equal(t, []string{"changed at stripe"}, emailsOf(h, p), "once")
}

// TestWhatIsChargedIsReceipted: a change that is prorated makes an invoice over an amount that no terms have; a mark
// that was removed leaves the subscription's id.
func TestWhatIsChargedIsReceipted(t *testing.T) {
	h := program.New(t, program.Options{})
	p := startPlan(t, h, monthly(""))
	h.Fake.Advance(10 * 24 * time.Hour)
	require.NoError(t, h.Fake.ChangePrice(*p.SubscriptionID, stripefake.PriceChange{Amount: 3000, Prorate: true}))
	require.NoError(t, h.Fake.RemoveMetadata(*p.SubscriptionID, "konbit_donation"))
	deliverAll(t, h)
	p = advanceToNextCharge(t, h, reload(t, h, p))
	require.Equal(t, []int64{3000, 2}, []int64{p.AmountMinor, int64(p.Paid)})
	charged := h.Count(`SELECT amount FROM payment WHERE status = 'settled' ORDER BY received_at DESC LIMIT 1`)
	require.Greater(t, charged, 3000)
	require.Less(t, charged, 4000)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM receipt WHERE (facts->'amount'->>'minor')::int = $1`, charged))
	p = advanceToNextCharge(t, h, p)
	require.Equal(t, 3, p.Paid)
	require.Zero(t, h.Count(`SELECT coalesce(sum(amount), 0) FROM posting WHERE account_code = '1090'`))
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
}

// TestFrequencyChangedAtStripe: a plan takes over a frequency that we offer. For another one it opens one task, however
// many charges follow.
func TestFrequencyChangedAtStripe(t *testing.T) {
	h := program.New(t, program.Options{})
	p := startPlan(t, h, monthly(""))
	require.NoError(t, h.Fake.ChangePrice(*p.SubscriptionID, stripefake.PriceChange{Amount: 2000, Interval: "month", IntervalCount: 2}))
	deliverAll(t, h)
	p = advanceToNextCharge(t, h, reload(t, h, p))
	require.Equal(t, org.Monthly, p.Frequency)
	require.Equal(t, []string{"plan_differs_at_stripe 1"}, h.Lines(`SELECT kind || ' ' || times FROM finance_task WHERE closed_at IS NULL`), "one cause, one task")
	require.Equal(t, p.Paid, h.Count(`SELECT count(*) FROM receipt`))
	require.NoError(t, h.Fake.ChangePrice(*p.SubscriptionID, stripefake.PriceChange{Amount: 5000, Interval: "year", IntervalCount: 1}))
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Equal(t, []any{org.Yearly, int64(5000)}, []any{p.Frequency, p.AmountMinor})
	require.WithinDuration(t, org.Yearly.Due(h.Fake.Now(), 1), *p.NextAt, 2*time.Hour)
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task WHERE closed_at IS NULL`))
}

// TestADonorsOwnChangeIsNoChangeAtStripe: the subscription differs while the request to Stripe is not finished.
func TestADonorsOwnChangeIsNoChangeAtStripe(t *testing.T) {
	h := program.New(t, program.Options{})
	p := startPlan(t, h, monthly(""))
	f := monthly("")
	f.Amount, f.AmountOther = "other", "30"
	to, err := f.CheckTerms(h.Offer("csio"))
	require.NoError(t, err)
	_, err = h.Plans.Change(t.Context(), recurring.DonorRequest{PlanID: p.ID, SubmissionID: "a", Channel: planlink.BySession}, to, nil)
	require.NoError(t, err)
	require.NoError(t, h.Fake.ChangePrice(*p.SubscriptionID, stripefake.PriceChange{Amount: 3000})) // as the request does; its result comes later
	h.DeliverNew()
	h.DrainAll()
	h.Exec(`UPDATE plan SET look_due = now()`)
	require.NoError(t, h.Plans.SyncPlan(t.Context(), p.ID))
	require.EqualValues(t, 2000, reload(t, h, p).AmountMinor)
	deliverAll(t, h)
	require.Equal(t, []string{"changed"}, emailsOf(h, p))
	require.EqualValues(t, 3000, reload(t, h, p).AmountMinor)
}

// TestCancelAtPeriodEnd: the page said "next charge", and an email announced a charge that never came.
func TestCancelAtPeriodEnd(t *testing.T) {
	h := program.New(t, program.Options{})
	f := monthly("")
	f.Frequency = "quarterly"
	p := startPlan(t, h, f)
	end := *p.NextAt
	for _, c := range []struct {
		on   bool
		last string
	}{{true, "end set"}, {false, "end removed"}, {true, "end set"}} {
		require.NoError(t, h.Fake.CancelAtPeriodEnd(*p.SubscriptionID, c.on))
		deliverAll(t, h)
		p = reload(t, h, p)
		require.Equal(t, c.on, p.EndsAt != nil)
		require.Equal(t, !c.on, p.NextAt != nil)
		emails := emailsOf(h, p)
		require.Equal(t, c.last, emails[len(emails)-1])
	}
	h.Fake.Advance(end.Sub(h.Fake.Now()) - 48*time.Hour)
	_, err := h.Plans.QueueReminders(t.Context())
	require.NoError(t, err)
	h.Fake.Advance(72 * time.Hour)
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Equal(t, []any{plan.Cancelled, plan.AtStripe, 1}, []any{p.Status, because(p), p.Paid})
	require.Equal(t, []string{"end set", "end removed", "end set", "stopped at stripe"}, emailsOf(h, p), "no announcement of a charge")
}

// TestPausedAtStripe: by nobody here, and no email says "as you asked".
func TestPausedAtStripe(t *testing.T) {
	h := program.New(t, program.Options{})
	p := startPlan(t, h, monthly(""))
	require.NoError(t, h.Fake.PauseAtDashboard(*p.SubscriptionID, true))
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Equal(t, []any{plan.Paused, (*time.Time)(nil)}, []any{p.Status, p.NextAt})
	require.NoError(t, h.Fake.PauseAtDashboard(*p.SubscriptionID, false))
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Equal(t, plan.Active, p.Status)
	require.Equal(t, []string{"paused at stripe", "resumed at stripe"}, emailsOf(h, p))
}

// TestWhyAPlanEnded lists every way in which a plan ends, and what is said about the cause. Only what is known is said.
func TestWhyAPlanEnded(t *testing.T) {
	for name, c := range map[string]struct {
		end    func(t *testing.T, h *program.Program, p plan.Plan)
		status plan.Status
		cause  plan.Cause
		email  string
	}{
		"the donor cancels": {func(t *testing.T, h *program.Program, p plan.Plan) {
			_, err := h.Plans.Cancel(t.Context(), recurring.DonorRequest{PlanID: p.ID, SubmissionID: "a", Channel: planlink.ByLink}, "")
			require.NoError(t, err)
		}, plan.Cancelled, plan.Asked, "cancelled"},
		"the subscription is deleted": {func(t *testing.T, h *program.Program, p plan.Plan) {
			require.NoError(t, h.Fake.CancelSubscription(*p.SubscriptionID))
		}, plan.Cancelled, plan.AtStripe, "stopped at stripe"},
		"the customer is deleted": {func(t *testing.T, h *program.Program, p plan.Plan) {
			require.NoError(t, h.Fake.DeleteCustomer(*p.CustomerID))
		}, plan.Cancelled, plan.AtStripe, "stopped at stripe"},
		"the card fails until Stripe gives up": {func(t *testing.T, h *program.Program, p plan.Plan) {
			require.NoError(t, h.Fake.FailCard(*p.SubscriptionID, "insufficient_funds", 0))
			h.Fake.Advance(p.NextAt.Sub(h.Fake.Now()) + 30*24*time.Hour)
		}, plan.Failed, plan.Unpaid, "given up"},
		"deleted while the card fails": {func(t *testing.T, h *program.Program, p plan.Plan) {
			require.NoError(t, h.Fake.FailCard(*p.SubscriptionID, "insufficient_funds", 0))
			h.Fake.Advance(p.NextAt.Sub(h.Fake.Now()) + 2*time.Hour)
			deliverAll(t, h)
			require.NoError(t, h.Fake.CancelSubscription(*p.SubscriptionID))
		}, plan.Cancelled, plan.AtStripe, "stopped at stripe"},
	} {
		t.Run(name, func(t *testing.T) {
			h := program.New(t, program.Options{})
			p := startPlan(t, h, monthly(""))
			c.end(t, h, p)
			deliverAll(t, h)
			p = reload(t, h, p)
			require.Equal(t, []any{c.status, c.cause}, []any{p.Status, because(p)})
			emails := emailsOf(h, p)
			require.Equal(t, c.email, emails[len(emails)-1])
		})
	}
}

// TestCardRenewedByItsBank: "your card ends soon" was mailed after the network had renewed the card.
func TestCardRenewedByItsBank(t *testing.T) {
	for _, told := range []bool{true, false} { // an event that is lost, or that an old endpoint does not send, changes nothing
		h := program.New(t, program.Options{})
		p := startPlan(t, h, monthly(""))
		require.NoError(t, h.Fake.SetCardExpiry(*p.SubscriptionID, h.Fake.Now().Format("01/06"), true))
		deliverAll(t, h)
		require.WithinDuration(t, h.Fake.Now(), *reload(t, h, p).CardExpires, 32*24*time.Hour)
		renewed := h.Fake.Now().AddDate(3, 0, 0)
		require.NoError(t, h.Fake.SetCardExpiry(*p.SubscriptionID, renewed.Format("01/06"), told))
		deliverAll(t, h)
		if told {
			require.Equal(t, renewed.Year(), reload(t, h, p).CardExpires.AddDate(0, 0, -1).Year())
		}
		_, err := h.Plans.QueueReminders(t.Context())
		require.NoError(t, err)
		require.Zero(t, h.Count(`SELECT count(*) FROM plan_event WHERE kind = 'card expires'`), "told %t", told)
	}
}

// TestRenewalThatNeedsAuthentication: the test card 4000 0027 6000 3184 asks at every payment.
func TestRenewalThatNeedsAuthentication(t *testing.T) {
	h := program.New(t, program.Options{})
	d := h.StartedGift(monthly(""))
	card := stripefake.GoodCard
	card.Number = "4000002760003184"
	require.NoError(t, h.Fake.Pay(*h.Checkout(d).SessionID, card))
	deliverAll(t, h)
	p := planOf(t, h, d)
	_, err := h.Plans.ConfirmPayment(t.Context(), p)
	require.ErrorIs(t, err, plan.ErrWrongStatus)
	p = advanceToNextCharge(t, h, p)
	require.Equal(t, "authentication_required", *p.FailingCode)
	require.Equal(t, []string{"payment failed"}, emailsOf(h, p))
	awaits, err := recurring.AwaitsConfirmation(t.Context(), h.DB.Server, p)
	require.NoError(t, err)
	require.True(t, awaits)
	address, err := h.Plans.ConfirmPayment(t.Context(), p)
	require.NoError(t, err)
	require.Contains(t, address, "/c/invoice/"+*p.FailingInvoice)
	require.NoError(t, h.Fake.ConfirmInvoice(*p.FailingInvoice))
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Nil(t, p.FailingSince)
	require.Equal(t, 2, p.Paid)
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM receipt`))
}

// TestDiscountAtStripe: the pages and emails said $20 while Stripe charged $15. The terms stay, so that $20 are charged
// when the discount ends.
func TestDiscountAtStripe(t *testing.T) {
	h := program.New(t, program.Options{})
	f := monthly("")
	f.Frequency = "quarterly"
	p := startPlan(t, h, f)
	require.NoError(t, h.Fake.Discount(*p.SubscriptionID, 25))
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Equal(t, []int64{2000, 1500, 1}, []int64{p.AmountMinor, p.NextCharge().Minor, int64(p.Terms)})
	h.Fake.Advance(p.NextAt.Sub(h.Fake.Now()) - 6*24*time.Hour)
	_, err := h.Plans.QueueReminders(t.Context())
	require.NoError(t, err)
	p = advanceToNextCharge(t, h, p)
	require.Equal(t, 2, p.Paid)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM receipt WHERE (facts->'amount'->>'minor')::int = 1500`))
	f.Amount, f.AmountOther = "other", "40"
	to, err := f.CheckTerms(h.Offer("csio"))
	require.NoError(t, err)
	_, err = h.Plans.Change(t.Context(), recurring.DonorRequest{PlanID: p.ID, SubmissionID: "a", Channel: planlink.BySession}, to, nil)
	p = afterRequest(t, h, p, err)
	require.Equal(t, []int64{4000, 3000}, []int64{p.AmountMinor, p.NextCharge().Minor})
	require.NoError(t, h.Fake.Discount(*p.SubscriptionID, 0))
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Nil(t, p.DiscountedTo)
	require.Equal(t, []string{
		"changed at stripe 1500 2000", "upcoming 1500", "changed 4000", "changed at stripe 3000 4000", "changed at stripe 4000 3000",
	}, h.Lines(`SELECT concat_ws(' ', e.kind, e.detail->>'amount', e.detail->>'before') FROM plan_event e JOIN river_job j ON j.args->>'event_id' = e.id::text
		WHERE e.plan_id = $1 ORDER BY e.at, e.id`, p.ID))
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
}
