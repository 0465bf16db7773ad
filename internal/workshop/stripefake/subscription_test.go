package stripefake_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/workshop/stripefake"
)

// monthly returns the parameters of a gift of 20.00 a month with the fee on a separate line.
func monthly() *stripe.CheckoutSessionParams {
	p := gift()
	p.Mode, p.SubmitType, p.PaymentIntentData = stripe.String("subscription"), nil, nil
	for _, line := range p.LineItems {
		line.PriceData.Recurring = &stripe.CheckoutSessionLineItemPriceDataRecurringParams{Interval: stripe.String("month"), IntervalCount: stripe.Int64(1)}
	}
	p.SubscriptionData = &stripe.CheckoutSessionSubscriptionDataParams{Metadata: map[string]string{"donation": "don_1"}}
	return p
}

// at returns a clock that always shows a date.
func at(date string) func() time.Time {
	moment, err := time.Parse("2006-01-02T15:04:05Z", date)
	if err != nil {
		panic(err)
	}
	return func() time.Time { return moment }
}

// giver is a stand-in with one monthly gift that was started with a card.
type giver struct {
	*fake
	sub string
}

func begin(t testing.TB, o stripefake.Options, number string) giver {
	t.Helper()
	f := start(t, o)
	cs := f.open(monthly())
	card := stripefake.GoodCard
	card.Number = number
	if err := f.Pay(cs.ID, card); err != nil {
		t.Fatal(err)
	}
	return giver{f, f.session(cs.ID).Subscription.ID}
}

func (g giver) now() *stripe.Subscription {
	g.t.Helper()
	sub, err := g.api.Subscriptions.Get(g.sub, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	return sub
}

func (g giver) update(p *stripe.SubscriptionParams) *stripe.Subscription {
	g.t.Helper()
	sub, err := g.api.Subscriptions.Update(g.sub, p)
	if err != nil {
		g.t.Fatal(err)
	}
	return sub
}

// invoices returns the subscription's invoices, oldest first.
func (g giver) invoices() []*stripe.Invoice {
	g.t.Helper()
	p := &stripe.InvoiceListParams{Subscription: stripe.String(g.sub)}
	p.Limit = stripe.Int64(100)
	var list []*stripe.Invoice
	it := g.api.Invoices.List(p)
	for it.Next() {
		list = append(list, it.Invoice())
	}
	if it.Err() != nil {
		g.t.Fatal(it.Err())
	}
	slices.Reverse(list)
	return list
}

func (g giver) statuses() string {
	var all []string
	for _, inv := range g.invoices() {
		all = append(all, string(inv.Status))
	}
	return strings.Join(all, " ")
}

// since returns the types of the events after the first n.
func (g giver) since(n int) []string {
	var types []string
	for _, raw := range g.Objects("tsne", "event", n) {
		var ev struct{ Type string }
		if err := json.Unmarshal(raw, &ev); err != nil {
			g.t.Fatal(err)
		}
		types = append(types, ev.Type)
	}
	return types
}

func (g giver) events() int { return len(g.Objects("tsne", "event", 0)) }

func refused(t testing.TB, err error, says string) {
	t.Helper()
	var e *stripe.Error
	if !errors.As(err, &e) || !strings.Contains(e.Msg, says) {
		t.Errorf("%v, want an error with %q", err, says)
	}
}

const month = 31 * 24 * time.Hour

func TestSubscriptionBegins(t *testing.T) {
	g := begin(t, stripefake.Options{}, "4242424242424242")
	want := []string{"payment_intent.created", "customer.created", "payment_method.attached", "customer.subscription.created", "invoice.created", "invoice.finalized",
		"invoice.paid", "invoice.payment_succeeded", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"}
	if got := g.since(0); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	sub, inv := g.now(), g.invoices()[0]
	if sub.Status != "active" || len(sub.Items.Data) != 2 || sub.Metadata["donation"] != "don_1" || sub.DefaultPaymentMethod == nil {
		t.Errorf("%+v", sub)
	}
	if inv.Status != "paid" || inv.BillingReason != "subscription_create" || inv.AmountPaid != 2089 || inv.Charge == nil || inv.PaymentIntent == nil ||
		inv.SubscriptionDetails.Metadata["donation"] != "don_1" || inv.Lines.Data[0].Metadata["donation"] != "don_1" || inv.Lines.Data[0].Price.UnitAmount != 2000 {
		t.Errorf("%+v", inv)
	}
	p := &stripe.ChargeParams{}
	p.AddExpand("balance_transaction")
	p.AddExpand("invoice.subscription")
	ch, err := g.api.Charges.Get(inv.Charge.ID, p)
	if err != nil || ch.BalanceTransaction.Net != 2089-91 || ch.Invoice.Subscription.ID != g.sub || len(ch.Metadata) != 0 {
		t.Errorf("%+v %v", ch, err)
	}
}

func TestDeclinedFirstPaymentCreatesNoSubscription(t *testing.T) {
	f := start(t, stripefake.Options{})
	cs := f.open(monthly())
	if f.Pay(cs.ID, stripefake.Card{Number: "4000000000000002", Exp: "12/49", CVC: "123"}) == nil {
		t.Fatal("a declined card paid")
	}
	if n := len(f.State().Subscriptions); n != 0 {
		t.Errorf("%d subscriptions", n)
	}
	if err := f.Pay(cs.ID, stripefake.GoodCard); err != nil || f.session(cs.ID).Subscription == nil {
		t.Error("after payment with another card", err)
	}
}

func TestRenewal(t *testing.T) {
	g := begin(t, stripefake.Options{Now: at("2027-01-31T10:00:00Z")}, "4242424242424242")
	n := g.events()
	g.Advance(28*24*time.Hour + 30*time.Minute)
	if got := g.statuses(); got != "paid draft" {
		t.Fatalf("half an hour after the renewal: %s", got)
	}
	g.Advance(time.Hour)
	want := []string{"invoice.upcoming", "invoice.created", "customer.subscription.updated", "payment_intent.created", "invoice.finalized",
		"charge.succeeded", "payment_intent.succeeded", "invoice.paid", "invoice.payment_succeeded"}
	if got := g.since(n); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	inv := g.invoices()[1]
	if inv.BillingReason != "subscription_cycle" || inv.PeriodEnd != inv.Lines.Data[0].Period.Start || inv.AttemptCount != 1 {
		t.Errorf("%+v", inv)
	}
	if end := time.Unix(g.now().CurrentPeriodEnd, 0).UTC(); end.Format("2006-01-02T15:04") != "2027-03-31T10:00" {
		t.Errorf("the second period ends %v", end)
	}
}

func TestTenYearsOfRenewals(t *testing.T) {
	g := begin(t, stripefake.Options{Now: at("2027-01-31T10:00:00Z"), InvoicesAtOnce: true}, "4242424242424242")
	g.Advance(10 * 366 * 24 * time.Hour)
	paid := 0
	for _, raw := range g.Objects("tsne", "charge", 0) {
		if strings.Contains(string(raw), `"status":"succeeded"`) {
			paid++
		}
	}
	if paid != 121 {
		t.Errorf("%d payments in ten years and some days, want 121", paid)
	}
}

func TestPause(t *testing.T) {
	for behaviour, want := range map[string]string{"void": "paid void void paid", "keep_as_draft": "paid draft draft paid", "mark_uncollectible": "paid uncollectible uncollectible paid"} {
		t.Run(behaviour, func(t *testing.T) {
			g := begin(t, stripefake.Options{Now: at("2027-01-15T10:00:00Z")}, "4242424242424242")
			until := time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC).Unix()
			g.update(&stripe.SubscriptionParams{PauseCollection: &stripe.SubscriptionPauseCollectionParams{Behavior: stripe.String(behaviour), ResumesAt: stripe.Int64(until)}})
			g.Advance(3 * month)
			if got := g.statuses(); got != want || g.now().PauseCollection != nil {
				t.Errorf("%s: %s, want %s", behaviour, got, want)
			}
		})
	}
	g := begin(t, stripefake.Options{}, "4242424242424242")
	g.update(&stripe.SubscriptionParams{PauseCollection: &stripe.SubscriptionPauseCollectionParams{Behavior: stripe.String("void")}})
	p := &stripe.SubscriptionParams{}
	p.AddExtra("pause_collection", "")
	if g.update(p).PauseCollection != nil {
		t.Error("an empty pause_collection must end the pause")
	}
}

func TestAmountAndDate(t *testing.T) {
	g := begin(t, stripefake.Options{Now: at("2027-01-15T10:00:00Z")}, "4242424242424242")
	item := g.now().Items.Data[0]
	change := func() *stripe.SubscriptionParams {
		return &stripe.SubscriptionParams{Items: []*stripe.SubscriptionItemsParams{{ID: stripe.String(item.ID), PriceData: &stripe.SubscriptionItemPriceDataParams{
			Currency: stripe.String("usd"), Product: stripe.String(item.Price.Product.ID), UnitAmount: stripe.Int64(3000),
			Recurring: &stripe.SubscriptionItemPriceDataRecurringParams{Interval: stripe.String("month")}}}}}
	}
	_, err := g.api.Subscriptions.Update(g.sub, change())
	refused(t, err, "proration_behavior=none")
	p := change()
	p.ProrationBehavior = stripe.String("none")
	if sub := g.update(p); sub.Items.Data[0].ID != item.ID || sub.Items.Data[0].Price.UnitAmount != 3000 {
		t.Errorf("%+v", sub.Items.Data[0])
	}
	day := time.Date(2027, 2, 20, 12, 0, 0, 0, time.UTC).Unix()
	sub := g.update(&stripe.SubscriptionParams{TrialEnd: stripe.Int64(day), ProrationBehavior: stripe.String("none")})
	if sub.Status != "trialing" || sub.CurrentPeriodEnd != day || sub.BillingCycleAnchor != day {
		t.Errorf("moved: %+v", sub)
	}
	g.Advance(2 * month)
	var totals []int64
	for _, inv := range g.invoices() {
		totals = append(totals, inv.AmountPaid)
	}
	if !slices.Equal(totals, []int64{2089, 0, 3089}) || g.now().Status != "active" {
		t.Errorf("paid %v: want 0 for the trial's invoice and the new amount for the next", totals)
	}
}

func TestEndOfASubscription(t *testing.T) {
	g := begin(t, stripefake.Options{Now: at("2027-01-15T10:00:00Z")}, "4242424242424242")
	g.update(&stripe.SubscriptionParams{CancelAtPeriodEnd: stripe.Bool(true)})
	if g.update(&stripe.SubscriptionParams{CancelAtPeriodEnd: stripe.Bool(false)}); g.now().CanceledAt != 0 {
		t.Error("canceled_at is set although the cancellation was revoked")
	}
	g.update(&stripe.SubscriptionParams{CancelAtPeriodEnd: stripe.Bool(true)})
	g.Advance(2 * month)
	if sub := g.now(); sub.Status != "canceled" || g.statuses() != "paid" {
		t.Errorf("%s, invoices %s", sub.Status, g.statuses())
	}
	_, err := g.api.Subscriptions.Cancel(g.sub, nil)
	refused(t, err, "No such subscription")
	_, err = g.api.Subscriptions.Update(g.sub, &stripe.SubscriptionParams{CancelAtPeriodEnd: stripe.Bool(false)})
	refused(t, err, "A canceled subscription")

	h := begin(t, stripefake.Options{}, "4242424242424242")
	_, err = h.api.Subscriptions.Cancel(h.sub, &stripe.SubscriptionCancelParams{Prorate: stripe.Bool(true)})
	refused(t, err, "does not prorate")
	why := &stripe.SubscriptionCancelParams{CancellationDetails: &stripe.SubscriptionCancelCancellationDetailsParams{Comment: stripe.String("moved away")}}
	if sub, err := h.api.Subscriptions.Cancel(h.sub, why); err != nil || sub.Status != "canceled" || sub.EndedAt == 0 || sub.CancellationDetails.Comment != "moved away" {
		t.Errorf("%+v %v", sub, err)
	}
	h.Advance(2 * month)
	if h.statuses() != "paid" {
		t.Errorf("after the cancellation: %s", h.statuses())
	}
}

func TestSubscriptionMistakes(t *testing.T) {
	g := begin(t, stripefake.Options{}, "4242424242424242")
	_, err := g.api.Subscriptions.New(&stripe.SubscriptionParams{Items: []*stripe.SubscriptionItemsParams{{Price: stripe.String(g.now().Items.Data[0].Price.ID)}}})
	refused(t, err, "customer")
	p := &stripe.SubscriptionParams{}
	p.AddExtra("pause_collection[until]", "1")
	_, err = g.api.Subscriptions.Update(g.sub, p)
	refused(t, err, "unknown parameter")
	_, err = g.api.Subscriptions.Update(g.sub, &stripe.SubscriptionParams{DefaultPaymentMethod: stripe.String("pm_none")})
	refused(t, err, "No such PaymentMethod")
	for says, change := range map[string]func(*stripe.CheckoutSessionParams){
		"at least one recurring": func(p *stripe.CheckoutSessionParams) {
			p.LineItems[0].PriceData.Recurring, p.LineItems[1].PriceData.Recurring = nil, nil
		},
		"different billing intervals": func(p *stripe.CheckoutSessionParams) {
			p.LineItems[1].PriceData.Recurring.Interval = stripe.String("year")
		},
		"`submit_type`":       func(p *stripe.CheckoutSessionParams) { p.SubmitType = stripe.String("donate") },
		"`customer_creation`": func(p *stripe.CheckoutSessionParams) { p.CustomerCreation = stripe.String("always") },
		"a recurring price": func(p *stripe.CheckoutSessionParams) {
			p.Mode, p.SubscriptionData = stripe.String("payment"), nil
		},
		"`subscription_data`": func(p *stripe.CheckoutSessionParams) { p.Mode = stripe.String("payment") },
		"Invalid interval:": func(p *stripe.CheckoutSessionParams) {
			p.LineItems[0].PriceData.Recurring.Interval = stripe.String("moon")
		},
	} {
		p := monthly()
		change(p)
		_, err := g.api.CheckoutSessions.New(p)
		refused(t, err, says)
	}
}

func TestSubscriptionsAreListedByStatus(t *testing.T) {
	g := begin(t, stripefake.Options{}, "4242424242424242")
	customer := g.now().Customer.ID
	count := func(status string) int {
		n := 0
		p := &stripe.SubscriptionListParams{Customer: stripe.String(customer)}
		if status != "" {
			p.Status = stripe.String(status)
		}
		for it := g.api.Subscriptions.List(p); it.Next(); n++ {
		}
		return n
	}
	second, err := g.api.Subscriptions.New(&stripe.SubscriptionParams{Customer: stripe.String(customer), DefaultPaymentMethod: stripe.String(g.now().DefaultPaymentMethod.ID),
		Items: []*stripe.SubscriptionItemsParams{{Price: stripe.String(g.now().Items.Data[0].Price.ID)}}})
	if err != nil || second.Status != "active" || second.LatestInvoice == nil {
		t.Fatalf("%+v %v", second, err)
	}
	if _, err := g.api.Subscriptions.Cancel(g.sub, nil); err != nil {
		t.Fatal(err)
	}
	for status, want := range map[string]int{"": 1, "active": 1, "canceled": 1, "all": 2, "past_due": 0} {
		t.Run("status "+status, func(t *testing.T) {
			if got := count(status); got != want {
				t.Errorf("status %q: %d, want %d", status, got, want)
			}
		})
	}
}

func TestNewIntervalIsInvoicedAtOnce(t *testing.T) {
	g := begin(t, stripefake.Options{Now: at("2027-01-15T10:00:00Z")}, "4242424242424242")
	g.Advance(10 * 24 * time.Hour)
	p := &stripe.SubscriptionParams{ProrationBehavior: stripe.String("none")}
	for _, item := range g.now().Items.Data {
		p.Items = append(p.Items, &stripe.SubscriptionItemsParams{ID: stripe.String(item.ID), PriceData: &stripe.SubscriptionItemPriceDataParams{Currency: stripe.String("usd"),
			Product: stripe.String(item.Price.Product.ID), UnitAmount: stripe.Int64(item.Price.UnitAmount), Recurring: &stripe.SubscriptionItemPriceDataRecurringParams{Interval: stripe.String("year")}}})
	}
	sub := g.update(p)
	if end := time.Unix(sub.CurrentPeriodEnd, 0).UTC(); end.Format("2006-01-02") != "2028-01-25" || g.statuses() != "paid paid" || g.invoices()[1].BillingReason != "subscription_update" {
		t.Errorf("until %v, %s", end, g.statuses())
	}
	g.Advance(60 * 24 * time.Hour)
	if g.statuses() != "paid paid" {
		t.Errorf("the month's renewal must not happen: %s", g.statuses())
	}
}
