package stripefake_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/webhook"

	"konbit/internal/workshop/stripefake"
)

// undelivered counts the events that the API lists as undelivered.
func (f *fake) undelivered() (n int) {
	f.t.Helper()
	p := &stripe.EventListParams{DeliverySuccess: stripe.Bool(false)}
	for it := f.api.Events.List(p); it.Next(); {
		if it.Event().PendingWebhooks == 0 {
			f.t.Errorf("%s is listed as undelivered", it.Event().ID)
		}
		n++
	}
	return n
}

func TestWebhooksAreSignedByEverySecretAtRealTime(t *testing.T) {
	f := start(t, stripefake.Options{})
	f.Advance(40 * 24 * time.Hour)
	f.paid("4242424242424242")
	f.drain()
	if len(f.hook.events) != 4 {
		t.Fatalf("%d events taken", len(f.hook.events))
	}
	for i, e := range f.hook.events {
		if strings.Count(f.hook.headers[i], "v1=") != 2 {
			t.Errorf("signatures: %s", f.hook.headers[i])
		}
		if _, err := webhook.ConstructEvent(f.hook.bodies[i], f.hook.headers[i], "whsec_two"); err != nil {
			t.Errorf("the other secret: %v", err)
		}
		if _, err := webhook.ConstructEvent(append(f.hook.bodies[i], ' '), f.hook.headers[i], "whsec_one"); err == nil {
			t.Error("the signature of a changed body is accepted")
		}
		if e.Created < time.Now().Add(39*24*time.Hour).Unix() {
			t.Errorf("%s is dated %d, not by the stand-in's clock", e.Type, e.Created)
		}
		if e.APIVersion != stripe.APIVersion || e.Livemode || e.ID == "" {
			t.Errorf("event: %+v", e)
		}
	}
}

func TestEventContainsObjectAndRequest(t *testing.T) {
	f := start(t, stripefake.Options{})
	cs := f.paid("4242424242424242")
	p := &stripe.RefundParams{PaymentIntent: stripe.String(cs.PaymentIntent.ID)}
	p.SetIdempotencyKey("refund-1")
	if _, err := f.api.Refunds.New(p); err != nil {
		t.Fatal(err)
	}
	f.drain()
	for _, e := range f.hook.events {
		switch e.Type {
		case "checkout.session.completed":
			var got stripe.CheckoutSession
			if err := json.Unmarshal(e.Data.Raw, &got); err != nil || got.ID != cs.ID || got.PaymentIntent.ID != cs.PaymentIntent.ID || got.PaymentStatus != "paid" || e.Request.ID != "" {
				t.Errorf("completed: %v %+v", err, got)
			}
		case "charge.refunded":
			if e.Request.IdempotencyKey != "refund-1" || e.Request.ID == "" || e.Data.PreviousAttributes["amount_refunded"] != 0.0 {
				t.Errorf("refunded: %+v %v", e.Request, e.Data.PreviousAttributes)
			}
		}
	}
}

func TestBodiesCanBeDeliveredByATest(t *testing.T) {
	f := start(t, stripefake.Options{})
	if err := f.SetMode(stripefake.Hold); err != nil {
		t.Fatal(err)
	}
	f.paid("4242424242424242")
	bodies := f.Bodies("tsne")
	for _, body := range bodies {
		if _, err := webhook.ConstructEvent(body, stripefake.Sign(time.Now(), body, "whsec_any"), "whsec_any"); err != nil {
			t.Error(err)
		}
	}
	if len(bodies) != 4 || f.Bodies("nobody") != nil {
		t.Errorf("%d bodies", len(bodies))
	}
}

// TestPanelSendsWhatWasHeld: setting another mode in the panel sends the events that waited.
func TestPanelSendsWhatWasHeld(t *testing.T) {
	f := start(t, stripefake.Options{})
	f.panel("webhooks", `{"mode":"hold"}`)
	f.paid("4242424242424242")
	if n := f.undelivered(); n != 4 {
		t.Fatalf("%d events undelivered", n)
	}
	f.panel("webhooks", `{"mode":"normal"}`)
	for deadline := time.Now().Add(20 * time.Second); f.undelivered() > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d events undelivered", f.undelivered())
		}
	}
}

func TestFailedDeliveriesAreRetried(t *testing.T) {
	f := start(t, stripefake.Options{})
	f.hook.answer(http.StatusServiceUnavailable)
	f.paid("4242424242424242")
	f.drain()
	if n := f.undelivered(); n != 4 {
		t.Errorf("%d events undelivered", n)
	}
	f.hook.answer(0)
	for deadline := time.Now().Add(5 * time.Second); f.undelivered() > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not delivered by itself")
		}
	}
}

func TestNoRetryAfterThreeDays(t *testing.T) {
	f := start(t, stripefake.Options{})
	f.hook.answer(http.StatusInternalServerError)
	f.paid("4242424242424242")
	f.drain()
	f.Advance(73 * time.Hour)
	f.drain() // the last attempt, which fails
	f.hook.answer(0)
	seen := len(f.hook.types())
	f.drain()
	if n := len(f.hook.types()); n != seen || f.undelivered() != 4 {
		t.Errorf("%d tries after three days", n-seen)
	}
}

func TestModes(t *testing.T) {
	for mode, most := range map[stripefake.Mode][2]int{
		stripefake.Normal: {4, 4}, stripefake.Drop: {0, 0}, stripefake.Shuffle: {4, 4}, stripefake.Delay: {4, 4},
		stripefake.Duplicate: {8, 16}, stripefake.Hold: {4, 4},
	} {
		t.Run(string(mode), func(t *testing.T) {
			f := start(t, stripefake.Options{})
			if err := f.SetMode(mode); err != nil {
				t.Fatal(err)
			}
			f.paid("4242424242424242")
			if mode == stripefake.Hold || mode == stripefake.Delay {
				time.Sleep(50 * time.Millisecond)
				if n := len(f.hook.types()); n != 0 {
					t.Errorf("%d came early", n)
				}
			}
			f.drain()
			if n := len(f.hook.types()); n < most[0] || n > most[1] {
				t.Errorf("%d deliveries", n)
			}
			if n := f.undelivered(); (n == 4) != (mode == stripefake.Drop) {
				t.Errorf("%d undelivered", n)
			}
		})
	}
	f := start(t, stripefake.Options{})
	if err := f.SetMode("sideways"); err == nil {
		t.Error("an unknown mode was accepted")
	}
}

func TestDroppedEventCanBeResent(t *testing.T) {
	f := start(t, stripefake.Options{})
	if err := f.SetMode(stripefake.Drop); err != nil {
		t.Fatal(err)
	}
	f.paid("4242424242424242")
	it := f.api.Events.List(&stripe.EventListParams{Types: stripe.StringSlice([]string{"charge.*"})})
	if !it.Next() {
		t.Fatal(it.Err())
	}
	if n, err := f.Resend(it.Event().ID, 10); n != 10 || err != nil {
		t.Fatal(n, err)
	}
	f.drain()
	if n := len(f.hook.types()); n != 10 {
		t.Errorf("%d deliveries", n)
	}
	if _, err := f.Resend("evt_none", 1); err == nil {
		t.Error("an unknown event was sent")
	}
}

func TestEndpointsOfTheAPI(t *testing.T) {
	var taken atomic.Int64
	var version atomic.Value
	secret := make(chan string, 1)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(body)
		s := <-secret
		secret <- s
		if e, err := webhook.ConstructEventWithOptions(body, r.Header.Get("Stripe-Signature"), s, webhook.ConstructEventOptions{IgnoreAPIVersionMismatch: true}); err == nil {
			version.Store(e.APIVersion + " " + string(e.Type))
			taken.Add(1)
		}
	}))
	defer other.Close()
	f := start(t, stripefake.Options{})
	we, err := f.api.WebhookEndpoints.New(&stripe.WebhookEndpointParams{URL: stripe.String(other.URL), APIVersion: stripe.String("2022-11-15"),
		EnabledEvents: stripe.StringSlice([]string{"checkout.session.completed"})})
	if err != nil || !strings.HasPrefix(we.Secret, "whsec_") {
		t.Fatal(we, err)
	}
	secret <- we.Secret
	if got, err := f.api.WebhookEndpoints.Get(we.ID, nil); err != nil || got.Secret != "" || got.APIVersion != "2022-11-15" {
		t.Errorf("read again: %+v %v", got, err)
	}
	f.paid("4242424242424242")
	f.drain()
	if taken.Load() != 1 || version.Load() != "2022-11-15 checkout.session.completed" {
		t.Errorf("%d events, last %v", taken.Load(), version.Load())
	}
	if _, err := f.api.WebhookEndpoints.Update(we.ID, &stripe.WebhookEndpointParams{Disabled: stripe.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	f.paid("4242424242424242")
	if _, err := f.api.WebhookEndpoints.Del(we.ID, nil); err != nil {
		t.Fatal(err)
	}
	f.paid("4242424242424242")
	f.drain()
	if taken.Load() != 1 {
		t.Errorf("%d events after it was disabled and deleted", taken.Load())
	}
	n := 0
	for it := f.api.WebhookEndpoints.List(nil); it.Next(); n++ {
	}
	if n != 1 {
		t.Errorf("%d endpoints left", n)
	}
}
