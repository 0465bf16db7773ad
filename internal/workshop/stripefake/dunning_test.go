package stripefake_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/workshop/stripefake"
)

func TestFourAttemptsInThreeWeeks(t *testing.T) {
	for setting, want := range map[string]stripe.SubscriptionStatus{"": "canceled", "unpaid": "unpaid", "past_due": "past_due"} {
		t.Run("after retries "+setting, func(t *testing.T) {
			g := begin(t, stripefake.Options{Now: at("2027-01-10T10:00:00Z"), AfterRetries: setting}, "4000000000000341")
			n := g.events()
			g.Advance(month + 2*time.Hour)
			inv := g.invoices()[1]
			if g.now().Status != "past_due" || inv.AttemptCount != 1 || inv.NextPaymentAttempt != inv.StatusTransitions.FinalizedAt+3*24*3600 {
				t.Fatalf("%s, try %d, next %d", g.now().Status, inv.AttemptCount, inv.NextPaymentAttempt)
			}
			for _, wanted := range []string{"charge.failed", "payment_intent.payment_failed", "invoice.payment_failed", "customer.subscription.updated"} {
				if !slices.Contains(g.since(n), wanted) {
					t.Errorf("no %s in %v", wanted, g.since(n))
				}
			}
			g.Advance(22 * 24 * time.Hour)
			inv = g.invoices()[1]
			if g.now().Status != want || inv.AttemptCount != 4 || inv.NextPaymentAttempt != 0 || inv.Status != "open" {
				t.Errorf("%q: %s after %d tries", setting, g.now().Status, inv.AttemptCount)
			}
			if setting == "" && (g.now().CancellationDetails.Reason != "payment_failed" || g.since(n)[len(g.since(n))-1] != "customer.subscription.deleted") {
				t.Errorf("ended %+v, %v", g.now().CancellationDetails, g.since(n))
			}
		})
	}
}

func TestHardDeclineIsRetriedOnlyWithAnotherCard(t *testing.T) {
	g := begin(t, stripefake.Options{Now: at("2027-01-10T10:00:00Z")}, "4242424242424242")
	if err := g.FailCard(g.sub, "lost_card", 0); err != nil {
		t.Fatal(err)
	}
	g.Advance(month + 4*24*time.Hour)
	inv := g.invoices()[1]
	if inv.AttemptCount != 1 || inv.NextPaymentAttempt == 0 {
		t.Fatalf("%d tries of a lost card, next %d", inv.AttemptCount, inv.NextPaymentAttempt)
	}
	p := &stripe.InvoiceParams{}
	p.AddExpand("payment_intent")
	if inv, err := g.api.Invoices.Get(inv.ID, p); err != nil || inv.PaymentIntent.LastPaymentError.DeclineCode != "lost_card" {
		t.Errorf("%v", err)
	}
	pm, err := g.ReplaceCard(inv.Customer.ID, stripefake.GoodCard)
	if err != nil {
		t.Fatal(err)
	}
	g.update(&stripe.SubscriptionParams{DefaultPaymentMethod: stripe.String(pm)})
	g.Advance(7 * 24 * time.Hour)
	if g.statuses() != "paid paid" || g.now().Status != "active" {
		t.Errorf("%s, %s", g.statuses(), g.now().Status)
	}
}

func TestPayingAnInvoiceByAPI(t *testing.T) {
	g := begin(t, stripefake.Options{Now: at("2027-01-10T10:00:00Z")}, "4242424242424242")
	if err := g.FailCard(g.sub, "insufficient_funds", 2); err != nil {
		t.Fatal(err)
	}
	g.Advance(month + 2*time.Hour)
	inv := g.invoices()[1]
	_, err := g.api.Invoices.Pay(inv.ID, nil)
	refused(t, err, "insufficient funds")
	if paid, err := g.api.Invoices.Pay(inv.ID, nil); err != nil || paid.Status != "paid" || paid.AttemptCount != 3 || g.now().Status != "active" {
		t.Errorf("%+v %v", paid, err)
	}
	_, err = g.api.Invoices.Pay(inv.ID, nil)
	refused(t, err, "Invoice is already paid")
	_, err = g.api.Invoices.VoidInvoice(inv.ID, nil)
	refused(t, err, "You can only pass in open invoices")
}

func TestVoidedInvoiceIsNotRetried(t *testing.T) {
	g := begin(t, stripefake.Options{Now: at("2027-01-10T10:00:00Z")}, "4000000000000341")
	g.Advance(month + 2*time.Hour)
	if inv, err := g.api.Invoices.VoidInvoice(g.invoices()[1].ID, nil); err != nil || inv.Status != "void" {
		t.Fatalf("%v", err)
	}
	g.Advance(25 * 24 * time.Hour)
	if inv := g.invoices()[1]; inv.AttemptCount != 1 || g.now().Status == "canceled" {
		t.Errorf("%d tries, %s", inv.AttemptCount, g.now().Status)
	}
}

func TestBankAuthenticationAtARenewal(t *testing.T) {
	g := begin(t, stripefake.Options{Now: at("2027-01-10T10:00:00Z")}, "4000002760003184")
	n := g.events()
	g.Advance(month + 2*time.Hour)
	if !slices.Contains(g.since(n), "invoice.payment_action_required") {
		t.Errorf("%v", g.since(n))
	}
	if err := g.ConfirmInvoice(g.invoices()[1].ID); err != nil || g.statuses() != "paid paid" || g.now().Status != "active" {
		t.Errorf("%s %s %v", g.statuses(), g.now().Status, err)
	}
	if g.ConfirmInvoice(g.invoices()[1].ID) == nil {
		t.Error("agreed twice")
	}
}

func TestCardExpiryAndRenewal(t *testing.T) {
	g := begin(t, stripefake.Options{Now: at("2027-01-10T10:00:00Z")}, "4242424242424242")
	if err := g.SetCardExpiry(g.sub, "01/27", false); err != nil {
		t.Fatal(err)
	}
	g.Advance(month + 2*time.Hour)
	if g.statuses() != "paid open" {
		t.Fatal(g.statuses())
	}
	n := g.events()
	if err := g.SetCardExpiry(g.sub, "01/33", true); err != nil {
		t.Fatal(err)
	}
	g.Advance(3 * 24 * time.Hour)
	if got := g.since(n); got[0] != "payment_method.automatically_updated" || g.statuses() != "paid paid" {
		t.Errorf("%v %s", got, g.statuses())
	}
}

func TestUpcomingInvoice(t *testing.T) {
	g := begin(t, stripefake.Options{}, "4242424242424242")
	inv, err := g.api.Invoices.Upcoming(&stripe.InvoiceUpcomingParams{Subscription: stripe.String(g.sub)})
	if err != nil || inv.ID != "" || inv.AmountDue != 2089 || inv.PeriodEnd != g.now().CurrentPeriodEnd {
		t.Errorf("%+v %v", inv, err)
	}
	g.update(&stripe.SubscriptionParams{CancelAtPeriodEnd: stripe.Bool(true)})
	_, err = g.api.Invoices.Upcoming(&stripe.InvoiceUpcomingParams{Subscription: stripe.String(g.sub)})
	refused(t, err, "No upcoming invoices")
}
