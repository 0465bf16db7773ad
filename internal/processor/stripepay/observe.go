package stripepay

import (
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// An Observer is told of each call: its operation ("GET /v1/charges/{id}"), its outcome ("ok", the status of a refusal, or
// "no_answer") and how long it took.
type Observer func(operation, outcome string, took time.Duration)

// Observe lets o watch. It is set before the first call.
func (s *Stripe) Observe(o Observer) { s.observe = o }

// watched is the way to Stripe, seen by the observer.
type observedTransport struct{ s *Stripe }

// RoundTrip is part of http.RoundTripper.
func (w observedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	resp, err := http.DefaultTransport.RoundTrip(r)
	if w.s.observe != nil {
		outcome := "no_answer"
		switch {
		case err == nil && resp.StatusCode < 400:
			outcome = "ok"
		case err == nil:
			outcome = strconv.Itoa(resp.StatusCode)
		}
		w.s.observe(operation(r), outcome, time.Since(began))
	}
	return resp, err
}

// ids of Stripe's objects begin with a short prefix, ch_… or cs_test_…, and hold a figure or a capital; names of collections do not.
var ids = regexp.MustCompile(`/[a-z]{2,9}_[A-Za-z0-9_]*[A-Z0-9][A-Za-z0-9_]*`)

// operation names a call by its method and path, with {id} for an object's id.
func operation(r *http.Request) string {
	return r.Method + " " + ids.ReplaceAllString(r.URL.Path, "/{id}")
}
