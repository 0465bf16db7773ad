package stripepay_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
	"konbit/internal/giving/billing"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/recurring"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// tourPlans makes every call about plans.
func tourPlans(t *testing.T, h *program.Program) {
	t.Helper()
	ctx := t.Context()
	order := func() billing.Target {
		f := program.ValidForm()
		f.Frequency, f.CoverFees = "quarterly", true
		d := h.StartedGift(f)
		h.Pay(d)
		for _, body := range h.Fake.Bodies("tsne") {
			if e := h.ParseEvent(body); e.Type == "customer.subscription.created" || e.Type == "invoice.paid" {
				h.Deliver(e)
			}
		}
		h.DrainAll()
		h.RetryParked()
		h.RetryParked()
		p, err := recurring.ByID(ctx, h.DB.Server, d.ID)
		require.NoError(t, err)
		require.Equal(t, plan.Active, p.Status)
		return billing.Target{Entity: "tsne", Subscription: *p.SubscriptionID, Key: d.ID.String()}
	}
	twelve := func(_, _ time.Time) int { return 12 }
	o := order()
	_, err := h.Stripe.Schedule(ctx, o, twelve)
	require.NoError(t, err)
	o.Key += "again"
	s, err := h.Stripe.Schedule(ctx, o, twelve)
	require.NoError(t, err)
	require.Equal(t, 12, s.Iterations)
	remote, err := h.Stripe.ReadSubscription(ctx, "tsne", o.Subscription)
	require.NoError(t, err)
	require.Equal(t, s.ID, remote.ScheduleID)
	require.Nil(t, remote.Discounted)
	require.NoError(t, h.Fake.Discount(o.Subscription, 25))
	remote, err = h.Stripe.ReadSubscription(ctx, "tsne", o.Subscription)
	require.NoError(t, err)
	require.Equal(t, remote.AmountMinor-remote.AmountMinor/4, *remote.Discounted)
	require.NoError(t, h.Fake.Discount(o.Subscription, 0))
	require.NoError(t, h.Stripe.Change(ctx, o, billing.ChargeTerms{AmountMinor: 3000, Currency: "USD", Frequency: org.Quarterly}))
	until := h.Fake.Now().Add(100 * 24 * time.Hour)
	require.NoError(t, h.Stripe.Pause(ctx, o, &until, true))
	o.Key += "resume"
	_, err = h.Stripe.Resume(ctx, o)
	require.NoError(t, err)
	next := h.Fake.Now().Add(10 * 24 * time.Hour)
	require.NoError(t, h.Stripe.Change(ctx, o, billing.ChargeTerms{AmountMinor: 3000, Currency: "USD", Frequency: org.Weekly, IntervalChanged: true, Next: &next}))
	require.NoError(t, h.Stripe.End(ctx, o))

	ended := order()
	_, err = h.Stripe.Schedule(ctx, ended, twelve)
	require.NoError(t, err)
	require.NoError(t, h.Stripe.End(ctx, ended))
	require.NoError(t, h.Stripe.End(ctx, ended), "over is over")

	// A card that fails at the renewal and is replaced.
	failing := order()
	remote, err = h.Stripe.ReadSubscription(ctx, "tsne", failing.Subscription)
	require.NoError(t, err)
	_, err = h.Stripe.PaymentMethodPage(ctx, "tsne", remote.CustomerID, "es", "http://127.0.0.1/plans")
	require.NoError(t, err)
	require.NoError(t, h.Fake.FailCard(failing.Subscription, "lost_card", 0))
	h.Fake.Advance(remote.PeriodEnd.Sub(h.Fake.Now()) + 2*time.Hour)
	remote, err = h.Stripe.ReadSubscription(ctx, "tsne", failing.Subscription)
	require.NoError(t, err)
	require.Equal(t, "open lost_card", remote.LatestInvoice.Status+" "+remote.LatestInvoice.Code)
	require.NoError(t, h.Stripe.StopCollection(ctx, failing, remote.LatestInvoice.ID))
	failing.Key += "pay"
	paid, err := h.Stripe.RetryPayment(ctx, failing, remote.LatestInvoice.ID)
	require.NoError(t, err)
	require.False(t, paid)
	_, err = h.Fake.ReplaceCard(remote.CustomerID, stripefake.GoodCard)
	require.NoError(t, err)
	failing.Key += "card"
	card, err := h.Stripe.UseNewestPaymentMethod(ctx, failing, remote.CustomerID)
	require.NoError(t, err)
	require.Equal(t, "4242", card.Last4)

	// Another plan moves to that card, its unpaid invoice is charged, and everything is done once.
	moving := order()
	require.NoError(t, h.Fake.FailCard(moving.Subscription, "lost_card", 0))
	renewed, err := h.Stripe.ReadSubscription(ctx, "tsne", moving.Subscription)
	require.NoError(t, err)
	h.Fake.Advance(renewed.PeriodEnd.Sub(h.Fake.Now()) + 2*time.Hour)
	for _, day := range []int{10, 31} {
		var subscription string
		for range 2 {
			detached, err := h.Stripe.Detach(ctx, moving, "move")
			require.NoError(t, err)
			require.NotNil(t, detached.Outstanding)
			started, err := h.Stripe.StartSubscription(ctx, moving, billing.NewSubscription{
				ChargeTerms: billing.ChargeTerms{AmountMinor: 2000, Currency: "USD", Frequency: org.Quarterly, Next: &detached.PeriodEnd},
				RequestID:   "move " + strconv.Itoa(day), Customer: remote.CustomerID, PaymentMethod: card.ID, Product: detached.Product, Metadata: detached.Metadata, AnchorDay: day,
			})
			require.NoError(t, err)
			require.Contains(t, []string{"", started.Subscription}, subscription)
			subscription = started.Subscription
			on := billing.Target{Entity: "tsne", Subscription: subscription, Key: moving.Key + "collect"}
			paid, code, err := h.Stripe.Collect(ctx, on, billing.Collection{
				Customer: remote.CustomerID, PlanID: detached.Metadata["konbit_donation"], Invoice: detached.Outstanding.ID, AmountMinor: 2000, Currency: "USD",
			})
			require.NoError(t, err)
			require.True(t, paid)
			require.Empty(t, code)
		}
		moving.Key += "other"
	}
	for _, body := range h.Fake.Bodies("tsne") { // so that the sweep knows the invoices
		if e := h.ParseEvent(body); strings.HasPrefix(e.Type, "invoice.") {
			h.Deliver(e)
		}
	}
	h.DrainAll()
	h.RetryParked()
	failing.Key += "end"
	require.NoError(t, h.Stripe.End(ctx, failing))
	for range 2 {
		require.NoError(t, h.Stripe.ForgetCustomer(ctx, "tsne", remote.CustomerID), "gone is gone")
	}
	for _, id := range h.Lines(`SELECT charge_id FROM donation WHERE frequency = 'quarterly' AND charge_id IS NOT NULL LIMIT 1`) {
		require.NoError(t, h.Stripe.Refund(ctx, failing, id))
		require.NoError(t, h.Stripe.Refund(ctx, failing, id), "once is enough")
	}
}
