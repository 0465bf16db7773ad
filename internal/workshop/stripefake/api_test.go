package stripefake_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/workshop/stripefake"
)

func stripeError(err error) *stripe.Error {
	var e *stripe.Error
	if errors.As(err, &e) {
		return e
	}
	return &stripe.Error{}
}

func TestKeys(t *testing.T) {
	f := start(t, stripefake.Options{})
	for name, c := range map[string]struct {
		header string
		status int
	}{
		"none":   {"", 401},
		"live":   {"Bearer sk_live_x", 401},
		"bare":   {"Bearer sk_test_", 401},
		"bearer": {"Bearer sk_test_anyone", 200},
		"basic":  {"Basic c2tfdGVzdF9hbnlvbmU6", 200}, // sk_test_anyone:
	} {
		t.Run(name, func(t *testing.T) {
			req, _ := http.NewRequest("GET", f.url+"/v1/account", nil)
			req.Header.Set("Authorization", c.header)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if res.StatusCode != c.status || !strings.HasPrefix(res.Header.Get("Request-Id"), "req_") {
				t.Errorf("%s: %d %s", name, res.StatusCode, body)
			}
			if c.status == 200 && !strings.Contains(string(body), `"display_name": "anyone"`) {
				t.Errorf("%s: %s", name, body)
			}
		})
	}
	if _, err := f.client("sk_test_other", 0).CheckoutSessions.Get(f.open(gift()).ID, nil); stripeError(err).HTTPStatusCode != 404 {
		t.Errorf("another account's session: %v", err)
	}
	_, err := f.api.Charges.Get("ch_none", nil)
	if e := stripeError(err); e.Code != stripe.ErrorCodeResourceMissing || e.HTTPStatusCode != 404 {
		t.Errorf("no such charge: %v", err)
	}
	if _, err := f.api.Payouts.New(&stripe.PayoutParams{Amount: stripe.Int64(1), Currency: stripe.String("usd")}); err == nil {
		t.Error("an unknown route was answered")
	}
}

func TestIdempotency(t *testing.T) {
	f := start(t, stripefake.Options{AnswerDelay: 30 * time.Millisecond})
	keyed := func(amount int64) (*stripe.CheckoutSession, error) {
		p := gift()
		p.LineItems[0].PriceData.UnitAmount = stripe.Int64(amount)
		p.SetIdempotencyKey("don_1")
		return f.api.CheckoutSessions.New(p)
	}
	var conflicts, made int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := keyed(2000)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				made++
			case stripeError(err).HTTPStatusCode == http.StatusConflict:
				conflicts++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made == 0 || conflicts == 0 {
		t.Errorf("concurrently: %d made, %d conflicts", made, conflicts)
	}
	first, err := keyed(2000)
	if err != nil || first.LastResponse.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("again: %v", err)
	}
	if n := len(f.State().CheckoutSessions); n != 1 {
		t.Errorf("%d sessions", n)
	}
	if _, err := keyed(2001); stripeError(err).Type != stripe.ErrorTypeIdempotency || stripeError(err).HTTPStatusCode != 400 {
		t.Errorf("other parameters: %v", err)
	}
	f.Advance(25 * time.Hour)
	if later, err := keyed(2000); err != nil || later.ID == first.ID {
		t.Errorf("a day later: %v", err)
	}
	refused := gift()
	refused.SetIdempotencyKey("don_2")
	refused.SuccessURL = nil
	if _, err := f.api.CheckoutSessions.New(refused); err == nil {
		t.Error("no success address")
	}
	refused.SuccessURL = stripe.String("https://give.example/")
	if _, err := f.api.CheckoutSessions.New(refused); err != nil {
		t.Errorf("a refused request kept its key: %v", err)
	}
	calls := f.Calls("POST", "/v1/checkout/sessions")
	if last := calls[len(calls)-1]; last.Key != "don_2" || last.Account != "tsne" || last.Params.Get("mode") != "payment" || last.Status != 200 {
		t.Errorf("the record: %+v", last)
	}
}

func TestFaults(t *testing.T) {
	for kind, c := range map[string]struct{ status, sessions int }{
		"429": {429, 0}, "503": {503, 0}, "500-after": {500, 1}, "cut": {0, 1},
	} {
		t.Run(kind, func(t *testing.T) {
			f := start(t, stripefake.Options{})
			if err := f.SetFaults(stripefake.Faults{Rate: 1, Kinds: []string{kind}, Only: "POST /v1/checkout", Times: 1}); err != nil {
				t.Fatal(err)
			}
			p := gift()
			p.SetIdempotencyKey("don_1")
			_, err := f.api.CheckoutSessions.New(p)
			if stripeError(err).HTTPStatusCode != c.status || err == nil {
				t.Errorf("%v", err)
			}
			if n := len(f.State().CheckoutSessions); n != c.sessions {
				t.Errorf("%d sessions", n)
			}
			_, err = f.api.CheckoutSessions.New(p)
			if replayed := stripeError(err).HTTPStatusCode == 500; replayed != (kind == "500-after") || (err != nil && !replayed) {
				t.Errorf("with the same key: %v", err)
			}
			if n := len(f.State().CheckoutSessions); n != 1 {
				t.Errorf("%d sessions in the end", n)
			}
		})
	}
	f := start(t, stripefake.Options{Hang: 100 * time.Millisecond})
	if err := f.SetFaults(stripefake.Faults{Rate: 0.5, Kinds: stripefake.FaultKinds}); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for range 60 {
		if _, err := f.api.Balance.Get(nil); err != nil {
			failed++
		}
	}
	if failed < 10 || failed > 50 {
		t.Errorf("%d of 60 failed at a rate of a half", failed)
	}
	for _, bad := range []stripefake.Faults{{Rate: 2, Kinds: []string{"cut"}}, {Rate: 1}, {Rate: 1, Kinds: []string{"flood"}}} {
		if f.SetFaults(bad) == nil {
			t.Errorf("accepted: %+v", bad)
		}
	}
}

func TestPagingSearchAndFilters(t *testing.T) {
	f := start(t, stripefake.Options{})
	var first, last *stripe.CheckoutSession
	for range 25 {
		cs := f.paid("4242424242424242")
		if first == nil {
			first = cs
			f.Advance(time.Hour)
		}
		last = cs
	}
	p := &stripe.BalanceTransactionListParams{Type: stripe.String("charge")}
	p.Limit = stripe.Int64(7)
	p.AddExpand("data.source")
	var ids []string
	it := f.api.BalanceTransactions.List(p)
	for it.Next() {
		ids = append(ids, it.BalanceTransaction().ID)
		if it.BalanceTransaction().Source.Charge.Amount != 2089 {
			t.Error("source not expanded")
		}
	}
	if it.Err() != nil || len(ids) != 25 || ids[24] != first.PaymentIntent.LatestCharge.BalanceTransaction.ID {
		t.Errorf("%d rows: %v", len(ids), it.Err())
	}
	p.EndingBefore = stripe.String(ids[20])
	back := f.api.BalanceTransactions.List(p)
	if !back.Next() || !back.BalanceTransactionList().HasMore || back.BalanceTransactionList().Data[6].ID != ids[19] && back.BalanceTransactionList().Data[0].ID != ids[13] {
		t.Errorf("the page before: %+v", back.BalanceTransactionList())
	}
	recent := &stripe.ChargeListParams{CreatedRange: &stripe.RangeQueryParams{GreaterThan: first.Created + 60}}
	n := 0
	for it := f.api.Charges.List(recent); it.Next(); n++ {
	}
	if n != 24 {
		t.Errorf("%d recent charges", n)
	}
	bySession := &stripe.CheckoutSessionListParams{PaymentIntent: stripe.String(last.PaymentIntent.ID)}
	if it := f.api.CheckoutSessions.List(bySession); !it.Next() || it.CheckoutSession().ID != last.ID || it.Next() {
		t.Error("session by payment intent")
	}
	found := &stripe.PaymentIntentSearchParams{}
	found.Query = `metadata["donation"]:"don_1" AND status:"succeeded"`
	found.Limit = stripe.Int64(100)
	n = 0
	for it := f.api.PaymentIntents.Search(found); it.Next(); n++ {
	}
	if n != 25 {
		t.Errorf("%d found", n)
	}
	tooMany := &stripe.EventListParams{}
	tooMany.Limit = stripe.Int64(101)
	if it := f.api.Events.List(tooMany); it.Next() || stripeError(it.Err()).Param != "limit" {
		t.Errorf("a page of 101: %v", it.Err())
	}
}

func TestCustomers(t *testing.T) {
	f := start(t, stripefake.Options{})
	cu, err := f.api.Customers.New(&stripe.CustomerParams{Email: stripe.String("ana@example.org"), Metadata: map[string]string{"donor": "d1", "x": "y"}})
	if err != nil {
		t.Fatal(err)
	}
	cu, err = f.api.Customers.Update(cu.ID, &stripe.CustomerParams{Name: stripe.String("Ana"), Metadata: map[string]string{"x": ""}})
	if err != nil || cu.Name != "Ana" || cu.Metadata["donor"] != "d1" || len(cu.Metadata) != 1 || cu.Email != "ana@example.org" {
		t.Errorf("updated: %+v %v", cu, err)
	}
	p := gift()
	p.CustomerEmail, p.Customer = nil, stripe.String(cu.ID)
	cs := f.open(p)
	if err := f.Pay(cs.ID, stripefake.GoodCard); err != nil {
		t.Fatal(err)
	}
	if cs := f.session(cs.ID); cs.Customer.ID != cu.ID || cs.PaymentIntent.LatestCharge.Customer.ID != cu.ID || cs.CustomerDetails.Email != "ana@example.org" {
		t.Errorf("paid: %+v", cs)
	}
	if gone, err := f.api.Customers.Del(cu.ID, nil); err != nil || !gone.Deleted {
		t.Errorf("deleted: %v", err)
	}
	if it := f.api.Customers.List(nil); it.Next() {
		t.Error("a deleted customer is listed")
	}
}

func TestStateFile(t *testing.T) {
	o := stripefake.Options{StatePath: filepath.Join(t.TempDir(), "stripe.json"), Accounts: []stripefake.Account{{Name: "tsne", SecretKey: key}}}
	f := start(t, o)
	paid, open := f.paid("4242424242424242"), f.open(gift())
	f.Advance(30 * time.Minute)
	keyed := gift()
	keyed.SetIdempotencyKey("don_1")
	kept := f.open(keyed)
	before, _ := json.Marshal(f.State().Events)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}

	g := start(t, o)
	g.checkPaid(g.session(paid.ID))
	if after, _ := json.Marshal(g.State().Events); string(after) != string(before) {
		t.Errorf("events before:\n%s\nafter:\n%s", before, after)
	}
	if again := g.open(keyed); again.ID != kept.ID {
		t.Error("the idempotency key was forgotten")
	}
	if status, _, _ := g.send(g.url+"/c/pay/"+open.ID, cardForm("4242424242424242")); status != http.StatusSeeOther {
		t.Errorf("paying what was open: %d", status)
	}
	if ahead := time.Until(g.Now()); ahead < 29*time.Minute {
		t.Errorf("the clock is %s ahead", ahead)
	}
	if fresh := g.paid("4242424242424242"); fresh.ID == open.ID || fresh.ID == kept.ID {
		t.Error("an id was given twice")
	}
	if err := os.WriteFile(o.StatePath+".bad", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.StatePath += ".bad"
	if _, err := stripefake.New(o); err == nil {
		t.Error("a damaged state file was read")
	}
}

func TestConcurrentPayments(t *testing.T) {
	f := start(t, stripefake.Options{})
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 10 {
				p := gift()
				p.SetIdempotencyKey(fmt.Sprint(i, "/", j))
				cs, err := f.api.CheckoutSessions.New(p)
				if err != nil {
					t.Error(err)
					return
				}
				var submits sync.WaitGroup
				for range 2 {
					submits.Go(func() {
						if status, _, _ := f.send(cs.URL, cardForm("4242424242424242")); status != http.StatusSeeOther {
							t.Errorf("status %d", status)
						}
					})
				}
				submits.Wait()
			}
		})
	}
	wg.Wait()
	f.drain()
	if s := f.State(); len(s.Charges) != 160 || len(s.Events) != 640 || len(f.hook.types()) != 640 {
		t.Errorf("%d charges, %d events, %d delivered", len(s.Charges), len(s.Events), len(f.hook.types()))
	}
}

// BenchmarkGift measures one gift at the stand-in: a session over HTTP, its payment, four signed deliveries.
func BenchmarkGift(b *testing.B) {
	f := start(b, stripefake.Options{})
	for b.Loop() {
		if err := f.Pay(f.open(gift()).ID, stripefake.GoodCard); err != nil {
			b.Fatal(err)
		}
	}
}
