package stripefake_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/workshop/stripefake"
)

func TestGiftIsPaidOnThePage(t *testing.T) {
	f := start(t, stripefake.Options{})
	cs := f.open(gift())
	if cs.AmountTotal != 2089 || cs.Status != "open" || cs.PaymentStatus != "unpaid" || cs.PaymentIntent != nil || !strings.HasPrefix(cs.URL, f.url) {
		t.Fatalf("fresh session: %+v", cs)
	}
	res, err := http.Get(cs.URL)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if csp := res.Header.Get("Content-Security-Policy"); res.StatusCode != 200 || !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("page: %d, policy %q", res.StatusCode, csp)
	}

	status, location, _ := f.send(cs.URL, cardForm("4242 4242 4242 4242"))
	if status != http.StatusSeeOther || location != "https://give.example/thanks?s="+cs.ID {
		t.Fatalf("after paying: %d to %q", status, location)
	}
	if status, again, _ := f.send(cs.URL, cardForm("4242424242424242")); status != http.StatusSeeOther || again != location {
		t.Errorf("a second submit: %d to %q", status, again)
	}
	f.checkPaid(f.session(cs.ID))

	f.drain()
	want := []string{"charge.succeeded", "checkout.session.completed", "payment_intent.created", "payment_intent.succeeded"}
	if got := slices.Sorted(slices.Values(f.hook.types())); !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
}

// checkPaid checks every field of an ordinary paid gift that the books need.
func (f *fake) checkPaid(cs *stripe.CheckoutSession) {
	f.t.Helper()
	pi := cs.PaymentIntent
	ch := pi.LatestCharge
	bt := ch.BalanceTransaction
	for what, ok := range map[string]bool{
		"session":     cs.Status == "complete" && cs.PaymentStatus == "paid" && cs.URL == "" && cs.CustomerDetails.Name != "",
		"references":  cs.ClientReferenceID == "don_1" && cs.Metadata["donation"] == "don_1" && cs.CustomText.Submit.Message == "Gracias",
		"lines":       len(cs.LineItems.Data) == 2 && cs.LineItems.Data[1].AmountTotal == 89 && cs.LineItems.Data[0].Price.UnitAmount == 2000,
		"intent":      pi.Status == "succeeded" && pi.AmountReceived == 2089 && pi.Metadata["donation"] == "don_1",
		"charge":      ch.Paid && ch.Amount == 2089 && ch.Metadata["donation"] == "don_1" && ch.BillingDetails.Email == "ana@example.org",
		"card":        ch.PaymentMethodDetails.Card.Last4 == "4242" && ch.PaymentMethodDetails.Card.Brand == "visa",
		"balance":     bt.Amount == 2089 && bt.Fee == 91 && bt.Net == 1998 && bt.Type == "charge" && bt.ReportingCategory == "charge",
		"fee details": len(bt.FeeDetails) == 1 && bt.FeeDetails[0].Amount == 91 && bt.FeeDetails[0].Type == "stripe_fee",
		"available":   bt.Status == "pending" && bt.AvailableOn > ch.Created && bt.Source.ID == ch.ID,
		"descriptor":  ch.CalculatedStatementDescriptor == "TSNE* CSIO",
	} {
		if !ok {
			f.t.Errorf("wrong %s: session %+v intent %+v charge %+v balance %+v", what, cs, pi, ch, bt)
		}
	}
}

func TestDeclineKeepsTypedValues(t *testing.T) {
	for _, c := range []struct{ number, field, says string }{
		{"4000000000000002", "", "rechazó"},
		{"4000000000009995", "", "fondos"},
		{"4242424242424241", "card_number", "Revise el número"},
		{"5105105105105100", "", "rechazó"}, // a valid card number, but not a test card
	} {
		t.Run(c.number, func(t *testing.T) {
			f := start(t, stripefake.Options{})
			cs := f.open(gift())
			status, _, body := f.send(cs.URL, cardForm(c.number))
			if status != http.StatusPaymentRequired {
				t.Errorf("status %d", status)
			}
			contains(t, body, c.says, `value="`+c.number+`"`, `value="Ana Pérez"`, `value="12/49"`, `lang="es"`, "20,89")
			if strings.Contains(body, `value="123"`) {
				t.Error("the security code came back")
			}
			if marked := strings.Contains(body, `aria-invalid="true"`); marked != (c.field != "") {
				t.Errorf("field marked: %v", marked)
			}
			if status, _, _ := f.send(cs.URL, cardForm("4242424242424242")); status != http.StatusSeeOther {
				t.Errorf("another card: %d", status)
			}
			f.checkPaid(f.session(cs.ID))
		})
	}
}

func TestDeclinedPaymentIsRecorded(t *testing.T) {
	f := start(t, stripefake.Options{})
	cs := f.open(gift())
	f.send(cs.URL, cardForm("4000000000000002"))
	pi := f.session(cs.ID).PaymentIntent
	if pi.Status != "requires_payment_method" || pi.LastPaymentError.DeclineCode != "generic_decline" || pi.LatestCharge.Status != "failed" || pi.LatestCharge.BalanceTransaction != nil {
		t.Errorf("after a decline: %+v", pi)
	}
	f.drain()
	want := []string{"charge.failed", "payment_intent.created", "payment_intent.payment_failed"}
	if got := slices.Sorted(slices.Values(f.hook.types())); !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
}

func TestBankAuthentication(t *testing.T) {
	f := start(t, stripefake.Options{})
	cs := f.open(gift())
	status, bank, _ := f.send(cs.URL, cardForm("4000002500003155"))
	if status != http.StatusSeeOther || bank != "/c/pay/"+cs.ID+"/authenticate" {
		t.Fatalf("to the bank: %d %q", status, bank)
	}
	if pi := f.session(cs.ID).PaymentIntent; pi.Status != "requires_action" {
		t.Errorf("intent is %s", pi.Status)
	}
	status, _, body := f.send(f.url+bank, url.Values{"answer": {"fail"}})
	if status != http.StatusPaymentRequired {
		t.Errorf("refused: %d", status)
	}
	contains(t, body, "no confirmó", `action="/c/pay/`+cs.ID+`"`)
	if status, again, _ := f.send(f.url+bank, url.Values{"answer": {"complete"}}); status != http.StatusSeeOther || again != "/c/pay/"+cs.ID {
		t.Errorf("agreed too late: %d %q", status, again)
	}
	f.send(cs.URL, cardForm("4000002500003155"))
	if status, location, _ := f.send(f.url+bank, url.Values{"answer": {"complete"}}); status != http.StatusSeeOther || !strings.HasPrefix(location, "https://give.example/thanks") {
		t.Errorf("agreed: %d %q", status, location)
	}
	if cs := f.session(cs.ID); cs.PaymentStatus != "paid" {
		t.Errorf("payment is %s", cs.PaymentStatus)
	}
}

func TestBankDebitSettlesByTheClock(t *testing.T) {
	for _, c := range []struct{ bank, status, event string }{
		{"pays", "paid", "checkout.session.async_payment_succeeded"},
		{"fails", "unpaid", "checkout.session.async_payment_failed"},
	} {
		t.Run(c.bank, func(t *testing.T) {
			f := start(t, stripefake.Options{})
			cs := f.open(gift())
			if status, _, _ := f.send(cs.URL, url.Values{"bank": {c.bank}}); status != http.StatusSeeOther {
				t.Fatalf("%s: %d", c.bank, status)
			}
			if cs := f.session(cs.ID); cs.Status != "complete" || cs.PaymentStatus != "unpaid" || cs.PaymentIntent.Status != "processing" {
				t.Errorf("%s: at first %s, %s", c.bank, cs.Status, cs.PaymentStatus)
			}
			f.Advance(5 * 24 * time.Hour)
			if cs := f.session(cs.ID); string(cs.PaymentStatus) != c.status {
				t.Errorf("%s: at last %s", c.bank, cs.PaymentStatus)
			}
			f.drain()
			if !slices.Contains(f.hook.types(), c.event) {
				t.Errorf("%s: no %s among %v", c.bank, c.event, f.hook.types())
			}
		})
	}
}

func TestUnknownSessionIsNotFound(t *testing.T) {
	f := start(t, stripefake.Options{})
	for _, address := range []string{"/c/pay/cs_none", "/c/pay/cs_none/authenticate"} {
		res, err := http.Get(f.url + address)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", address, res.StatusCode)
		}
	}
	if status, _, _ := f.send(f.url+"/c/pay/cs_none", cardForm("4242424242424242")); status != http.StatusNotFound {
		t.Errorf("paying it: %d", status)
	}
}

func TestSessionsExpire(t *testing.T) {
	f := start(t, stripefake.Options{})
	byClock, byHand := f.open(gift()), f.open(gift())
	if _, err := f.api.CheckoutSessions.Expire(byHand.ID, nil); err != nil {
		t.Fatal(err)
	}
	f.Advance(25 * time.Hour)
	for _, cs := range []*stripe.CheckoutSession{byClock, byHand} {
		if now := f.session(cs.ID); now.Status != "expired" || now.URL != "" {
			t.Errorf("session is %s", now.Status)
		}
		if status, _, _ := f.send(cs.URL, cardForm("4242424242424242")); status != http.StatusGone {
			t.Errorf("paying an expired session: %d", status)
		}
	}
	if _, err := f.api.CheckoutSessions.Expire(byClock.ID, nil); err == nil {
		t.Error("an expired session expired again")
	}
	f.drain()
	if got := f.hook.types(); len(got) != 2 || got[0] != "checkout.session.expired" {
		t.Errorf("events %v", got)
	}
}

func TestBadSessionsAreRefused(t *testing.T) {
	f := start(t, stripefake.Options{})
	for name, c := range map[string]struct {
		change func(*stripe.CheckoutSessionParams)
		param  string
	}{
		"no success address": {func(p *stripe.CheckoutSessionParams) { p.SuccessURL = nil }, "success_url"},
		"no lines":           {func(p *stripe.CheckoutSessionParams) { p.LineItems = nil }, "line_items"},
		"Haitian Creole":     {func(p *stripe.CheckoutSessionParams) { p.Locale = stripe.String("ht") }, "locale"},
		"no such customer": {func(p *stripe.CheckoutSessionParams) {
			p.CustomerEmail, p.Customer = nil, stripe.String("cus_x")
		}, "customer"},
		"customer and e-mail": {func(p *stripe.CheckoutSessionParams) { p.Customer = stripe.String("cus_x") }, "customer"},
		"bad e-mail":          {func(p *stripe.CheckoutSessionParams) { p.CustomerEmail = stripe.String("ana@") }, "customer_email"},
		"expires too soon": {func(p *stripe.CheckoutSessionParams) {
			p.ExpiresAt = stripe.Int64(time.Now().Add(20 * time.Minute).Unix())
		}, "expires_at"},
		"expires too late": {func(p *stripe.CheckoutSessionParams) {
			p.ExpiresAt = stripe.Int64(time.Now().Add(25 * time.Hour).Unix())
		}, "expires_at"},
		"unknown parameter":        {func(p *stripe.CheckoutSessionParams) { p.AddExtra("colour", "red") }, "colour"},
		"unknown nested parameter": {func(p *stripe.CheckoutSessionParams) { p.AddExtra("payment_intent_data[colour]", "red") }, "payment_intent_data[colour]"},
		"negative amount": {func(p *stripe.CheckoutSessionParams) {
			p.LineItems[0].PriceData.UnitAmount = stripe.Int64(-1)
		}, "line_items[0][price_data][unit_amount]"},
		"unexpandable": {func(p *stripe.CheckoutSessionParams) { p.AddExpand("colour") }, "expand"},
	} {
		t.Run(name, func(t *testing.T) {
			p := gift()
			c.change(p)
			_, err := f.api.CheckoutSessions.New(p)
			var e *stripe.Error
			if !errors.As(err, &e) || e.HTTPStatusCode != http.StatusBadRequest || e.Type != stripe.ErrorTypeInvalidRequest || e.Param != c.param || e.RequestID == "" {
				t.Errorf("%+v", err)
			}
		})
	}
	tooSmall := gift()
	tooSmall.LineItems = tooSmall.LineItems[:1]
	tooSmall.LineItems[0].PriceData.UnitAmount = stripe.Int64(49)
	_, err := f.api.CheckoutSessions.New(tooSmall)
	if e := (*stripe.Error)(nil); !errors.As(err, &e) || e.Code != stripe.ErrorCodeAmountTooSmall {
		t.Errorf("0.49: %v", err)
	}
}
