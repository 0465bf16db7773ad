package stripefake_test

import (
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/workshop/stripefake"
)

func TestSetupSavesACardWithoutACharge(t *testing.T) {
	g := begin(t, stripefake.Options{}, "4242424242424242")
	customer := g.now().Customer.ID
	n := g.events()
	cs := g.open(&stripe.CheckoutSessionParams{Mode: stripe.String("setup"), Customer: stripe.String(customer), Currency: stripe.String("usd"),
		SuccessURL: stripe.String("https://give.example/me"), SetupIntentData: &stripe.CheckoutSessionSetupIntentDataParams{Metadata: map[string]string{"plan": "pl_1"}}})
	if status, _, body := g.send(cs.URL, cardForm("4000000000000002")); status != http.StatusPaymentRequired {
		t.Fatalf("a declined card: %d %s", status, body)
	}
	if status, to, _ := g.send(cs.URL, cardForm("4000000000000341")); status != http.StatusSeeOther || to != "https://give.example/me" {
		t.Fatalf("%d %s", status, to)
	}
	want := []string{"setup_intent.created", "setup_intent.setup_failed", "payment_method.attached", "setup_intent.succeeded", "checkout.session.completed"}
	if got := g.since(n); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	p := &stripe.CheckoutSessionParams{}
	p.AddExpand("setup_intent.payment_method")
	done, err := g.api.CheckoutSessions.Get(cs.ID, p)
	if err != nil || done.PaymentStatus != "no_payment_required" || done.SetupIntent.Metadata["plan"] != "pl_1" || done.SetupIntent.PaymentMethod.Customer.ID != customer {
		t.Fatalf("%+v %v", done, err)
	}
	pm := done.SetupIntent.PaymentMethod.ID
	if g.now().DefaultPaymentMethod.ID == pm {
		t.Error("a saved card was charged without a request")
	}
	changed, err := g.api.Customers.Update(customer, &stripe.CustomerParams{InvoiceSettings: &stripe.CustomerInvoiceSettingsParams{DefaultPaymentMethod: stripe.String(pm)}})
	if err != nil || changed.InvoiceSettings.DefaultPaymentMethod.ID != pm {
		t.Errorf("%v", err)
	}
}

func TestSetupWithAuthentication(t *testing.T) {
	f := start(t, stripefake.Options{})
	cs := f.open(&stripe.CheckoutSessionParams{Mode: stripe.String("setup"), CustomerCreation: stripe.String("always"), SuccessURL: stripe.String("https://give.example/me")})
	_, bank, _ := f.send(cs.URL, cardForm("4000002500003155"))
	if status, _, _ := f.send(f.url+bank, url.Values{"answer": {"fail"}}); status != http.StatusPaymentRequired {
		t.Errorf("refused: %d", status)
	}
	f.send(cs.URL, cardForm("4000002500003155"))
	if status, to, _ := f.send(f.url+bank, url.Values{"answer": {"complete"}}); status != http.StatusSeeOther || to != "https://give.example/me" {
		t.Errorf("agreed: %d %s", status, to)
	}
}

func TestPortal(t *testing.T) {
	g := begin(t, stripefake.Options{}, "4242424242424242")
	customer := g.now().Customer.ID
	session, err := g.api.BillingPortalSessions.New(&stripe.BillingPortalSessionParams{Customer: stripe.String(customer), ReturnURL: stripe.String("https://give.example/me"), Locale: stripe.String("es"),
		FlowData: &stripe.BillingPortalSessionFlowDataParams{Type: stripe.String("payment_method_update"), AfterCompletion: &stripe.BillingPortalSessionFlowDataAfterCompletionParams{
			Type: stripe.String("redirect"), Redirect: &stripe.BillingPortalSessionFlowDataAfterCompletionRedirectParams{ReturnURL: stripe.String("https://give.example/done")}}}})
	if err != nil {
		t.Fatal(err)
	}
	if status, _, body := g.send(session.URL, cardForm("4242424242424241")); status != http.StatusPaymentRequired {
		t.Errorf("%d", status)
	} else {
		contains(t, body, "Sus tarjetas", "visa •••• 4242", "Revise el número", `value="Ana Pérez"`)
	}
	n := g.events()
	if status, to, _ := g.send(session.URL, cardForm("5555555555554444")); status != http.StatusSeeOther || to != "https://give.example/done" {
		t.Errorf("%d %s", status, to)
	}
	if got := g.since(n); !slices.Equal(got, []string{"payment_method.attached", "customer.updated"}) {
		t.Errorf("%v", got)
	}
	c, err := g.api.Customers.Get(customer, nil)
	if err != nil || c.InvoiceSettings.DefaultPaymentMethod.ID == g.now().DefaultPaymentMethod.ID {
		t.Error("the new default replaced the subscription's own card", err)
	}
	_, err = g.api.BillingPortalSessions.New(&stripe.BillingPortalSessionParams{Customer: stripe.String("cus_none")})
	refused(t, err, "No such customer")
	if status, _, _ := g.send(g.url+"/c/portal/bps_none", cardForm("5555555555554444")); status != http.StatusNotFound {
		t.Errorf("no portal: %d", status)
	}
}

func TestSubscriptionsSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	o := stripefake.Options{Now: at("2027-01-31T10:00:00Z"), StatePath: path, Accounts: []stripefake.Account{{Name: "tsne", SecretKey: key}}}
	g := begin(t, o, "4000000000000341")
	g.limit(3)
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	again := giver{start(t, o), g.sub}
	if err := again.FailCard(g.sub, "", 0); err != nil {
		t.Fatal(err)
	}
	again.Advance(month + 2*time.Hour)
	if got := again.statuses(); got != "paid open" {
		t.Fatalf("the number behind the card is lost: %s", got)
	}
	pm, err := again.ReplaceCard(again.now().Customer.ID, stripefake.GoodCard)
	if err != nil {
		t.Fatal(err)
	}
	again.update(&stripe.SubscriptionParams{DefaultPaymentMethod: stripe.String(pm)})
	again.Advance(12 * month)
	if got := again.statuses(); got != "paid paid paid" || again.now().Status != "canceled" {
		t.Errorf("%s, %s", got, again.now().Status)
	}
}

func TestDetachedCardAndDeletedCustomer(t *testing.T) {
	g := begin(t, stripefake.Options{}, "4242424242424242")
	sub := g.now()
	if _, err := g.api.PaymentMethods.Detach(sub.DefaultPaymentMethod.ID, nil); err != nil || g.now().DefaultPaymentMethod != nil {
		t.Error("a detached card is still charged", err)
	}
	_, err := g.api.PaymentMethods.Attach(sub.DefaultPaymentMethod.ID, &stripe.PaymentMethodAttachParams{Customer: stripe.String(sub.Customer.ID)})
	refused(t, err, "may not be used again")
	g.Advance(month + 2*time.Hour)
	if g.now().Status != "past_due" {
		t.Errorf("no card: %s", g.now().Status)
	}
	_, err = g.api.Invoices.Pay(g.invoices()[1].ID, nil)
	refused(t, err, "no `default_payment_method`")
	if _, err := g.api.Customers.Del(sub.Customer.ID, nil); err != nil || g.now().Status != "canceled" {
		t.Error("a deleted customer is still charged", err)
	}
}

func TestPageOfASubscription(t *testing.T) {
	f := start(t, stripefake.Options{Now: at("2027-01-10T10:00:00Z")})
	p := monthly()
	p.LineItems[0].PriceData.Recurring.IntervalCount, p.LineItems[1].PriceData.Recurring.IntervalCount = stripe.Int64(3), stripe.Int64(3)
	cs := f.open(p)
	_, _, body := f.send(cs.URL, url.Values{})
	contains(t, body, "20,00\u00a0USD cada 3 meses", "Gracias", "Pagar 20,89")
	if status, to, _ := f.send(cs.URL, cardForm("4242424242424242")); status != http.StatusSeeOther || to != "https://give.example/thanks?s="+cs.ID {
		t.Errorf("%d %s", status, to)
	}
}

func TestInvoicePage(t *testing.T) {
	g := begin(t, stripefake.Options{Now: at("2027-01-10T10:00:00Z")}, "4000000000000341")
	g.Advance(month + 2*time.Hour)
	page := g.invoices()[1].HostedInvoiceURL
	if status, _, body := g.send(page, cardForm("4000000000009995")); status != http.StatusPaymentRequired {
		t.Errorf("declined: %d %s", status, body)
	}
	_, _, body := g.send(page, cardForm("4242424242424242"))
	contains(t, body, "$20.89", "This payment is made.")
	if g.statuses() != "paid paid" || g.now().Status != "active" {
		t.Errorf("%s, %s", g.statuses(), g.now().Status)
	}
	if status, _, _ := g.send(g.url+"/c/invoice/in_none", url.Values{}); status != http.StatusNotFound {
		t.Errorf("no invoice: %d", status)
	}
	h := begin(t, stripefake.Options{Now: at("2027-01-10T10:00:00Z")}, "4000002760003184")
	h.Advance(month + 2*time.Hour)
	page = h.invoices()[1].HostedInvoiceURL
	_, _, body = h.send(page, url.Values{"answer": {"complete"}})
	if contains(t, body, "This payment is made."); h.statuses() != "paid paid" {
		t.Errorf("after the authentication: %s", h.statuses())
	}
}

func TestPanelMakesCardsFailAndSucceed(t *testing.T) {
	g := begin(t, stripefake.Options{Now: at("2027-01-10T10:00:00Z")}, "4242424242424242")
	g.panel("card", `{"id":"`+g.sub+`","decline":"insufficient_funds","times":1}`)
	g.panel("clock", `{"advance":"746h"}`)
	if g.now().Status != "past_due" {
		t.Errorf("%s", g.now().Status)
	}
	g.panel("clock", `{"advance":"72h"}`)
	if g.now().Status != "active" {
		t.Errorf("%s: the card must fail only once", g.now().Status)
	}
	g.panel("card", `{"id":"`+g.now().DefaultPaymentMethod.ID+`","exp":"02/31","tell":true}`)
	res, err := http.Get(g.url + "/_sandbox/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(body), g.sub, "Fail once", "renews 10 Mar 2027")
	if state := g.State(); len(state.Invoices) != 2 || len(state.Subscriptions) != 1 || len(state.Schedules) != 0 {
		t.Errorf("%d invoices, %d subscriptions, %d schedules", len(state.Invoices), len(state.Subscriptions), len(state.Schedules))
	}
}
