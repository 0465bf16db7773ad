// Package transport sends requests to Stripe's API and to no other place, and reports each to an observer.
package transport

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// Observer is called after each call with its operation ("GET /v1/charges/{id}"), its outcome ("ok", the status of a
// refusal, or "no_answer") and its duration.
type Observer func(operation, outcome string, took time.Duration)

// Transport sends requests to one host by one scheme. Its fields are set before the first request.
type Transport struct {
	Scheme, Host string
	Observe      Observer // nil if calls are not observed
}

// errOtherHost is returned for a request to any other place than Stripe's API (OWASP ASVS 5.0.0 V13.2.5).
var errOtherHost = errors.New("stripe: a request to another host was not sent")

// maxIdle is how many connections stay open between calls over HTTP/1.1, which a stand-in or a proxy may speak. With the
// standard two, most calls of a busy hour would open a connection. Stripe itself needs one connection (HTTP/2).
const maxIdle = 32

func init() {
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = maxIdle
}

// RoundTrip is part of http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != t.Host || r.URL.Scheme != t.Scheme {
		if r.Body != nil {
			_ = r.Body.Close() // a RoundTripper always closes it, also after an error
		}
		return nil, errOtherHost
	}
	began := time.Now()
	resp, err := http.DefaultTransport.RoundTrip(r)
	if t.Observe != nil {
		outcome := "no_answer"
		switch {
		case err == nil && resp.StatusCode < 400:
			outcome = "ok"
		case err == nil:
			outcome = strconv.Itoa(resp.StatusCode)
		}
		t.Observe(operation(r), outcome, time.Since(began))
	}
	return resp, err
}

// ids matches ids of Stripe's objects: a prefix (ch_…, cs_test_…), then a digit or capital, which collections lack.
var ids = regexp.MustCompile(`/[a-z]{2,9}_[A-Za-z0-9_]*[A-Z0-9][A-Za-z0-9_]*`)

// operation returns the method and path of a call, with {id} instead of an object's id.
func operation(r *http.Request) string {
	return r.Method + " " + ids.ReplaceAllString(r.URL.Path, "/{id}")
}
