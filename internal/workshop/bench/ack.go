package bench

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stripe/stripe-go/v76/webhook"

	"konbit/internal/workshop/e2e"
)

// ack measures only the receiving of webhooks. The events have a type without effect on gifts, so the worker
// only marks them as done.
var ack = Row{
	Name: "ack",
	Claim: "a webhook until its 200 after the commit, 32 senders; compared with the bare database that commits one " +
		"such row at a time, and with a handler that only checks the signature and parses",
	Measure: func(t testing.TB, m *Meter) {
		w := newEnvironment(t, e2e.Options{})
		r := newBaseline(t, w.model)
		checks := httptest.NewServer(http.HandlerFunc(check))
		t.Cleanup(checks.Close)
		n := m.Size(8000, 3000)
		m.Interleave(
			func() {
				y := load(t, host(w.URL()), senders, http.StatusOK, ignoredEvents(w, host(w.URL()), n))
				m.Note("konbit", y.rate())
				m.Note("konbit p99", y.p99())
			},
			func() { m.Note("bare INSERT", r.run(eventScript, senders, n/senders)) },
			func() {
				m.Note("check and parse p99", load(t, host(checks.URL), senders, http.StatusOK, ignoredEvents(w, host(checks.URL), n)).p99())
			},
		)
		m.Compare("rate", "webhooks/s", "konbit", "bare INSERT", AtLeast(0.25))
		m.Compare("p99", "ms", "konbit p99", "check and parse p99", AtMost(3))
	},
}

// ignoredEvents returns webhooks of events that Konbit stores and does not process.
func ignoredEvents(w *environment, host string, n int) []request {
	requests, now := make([]request, n), time.Now()
	for i := range requests {
		body := strings.NewReplacer(w.ids["event"], "evt_"+uuid.NewString(), "charge.succeeded", "charge.updated").Replace(string(w.model))
		requests[i] = webhookRequest(host, []byte(body), now)
	}
	return requests
}

// check verifies the signature with stripe-go and parses the event: the least work that a webhook handler can
// do.
func check(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		_, err = webhook.ConstructEventWithOptions(body, r.Header.Get("Stripe-Signature"), "whsec_tsne",
			webhook.ConstructEventOptions{IgnoreAPIVersionMismatch: true})
	}
	if err != nil || !json.Valid(body) {
		http.Error(w, "no", http.StatusBadRequest)
	}
}
