package metrics

import (
	"database/sql"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Metrics holds the counters. Its methods are safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	webhooks *prometheus.CounterVec
	calls    *prometheus.HistogramVec
	jobs     *prometheus.HistogramVec
	expired  prometheus.Counter
	refused  *prometheus.CounterVec
	security *prometheus.CounterVec
}

// New returns the metrics of a program of that version and revision.
func New(version, revision string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "konbit_http_request_duration_seconds", Help: "HTTP requests, by method, route pattern and status.",
			Buckets: []float64{.005, .01, .025, .05, .1, .3, .5, 1, 2, 5, 8, 15},
		}, []string{"method", "route", "status"}),
		webhooks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "konbit_webhooks_total", Help: "Webhooks received: taken (stored), refused (the signature is not " +
				"Stripe's) or failed (Stripe sends them again).",
		}, []string{"outcome"}),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "konbit_stripe_call_duration_seconds", Help: "Calls to Stripe, by operation and outcome: ok, the HTTP status of an error, or no_answer.",
			Buckets: []float64{.05, .1, .2, .5, 1, 2, 5},
		}, []string{"operation", "outcome"}),
		jobs: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "konbit_job_duration_seconds", Help: "Attempts of jobs, by kind and outcome: done, or failed (retried later).",
			Buckets: []float64{.01, .05, .1, .5, 1, 5, 20},
		}, []string{"kind", "outcome"}),
	}
	m.refused = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "konbit_unstored_emails_refused_total", Help: "Emails with a link or code that a mail server refused permanently: the person waits in vain.",
	}, []string{"kind"})
	m.expired = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "konbit_sign_ins_expired_total", Help: "Sign-ins that expired before a mail server accepted their email.",
	})
	m.security = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "konbit_security_events_total", Help: "Entries of the security log, by event.",
	}, []string{"event"})
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "konbit_build_info", Help: "Always 1; the labels are the version and revision of the program.",
		ConstLabels: prometheus.Labels{"version": version, "revision": revision},
	})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.webhooks, m.calls, m.jobs, m.expired, m.refused, m.security, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, outcome := range []string{taken, refused, failed} {
		m.webhooks.WithLabelValues(outcome)
	}
	return m
}

// Outcomes of webhooks.
const (
	taken   = "taken"
	refused = "refused"
	failed  = "failed"
)

// Request counts a request that was answered. route is the pattern that matched it; empty if none did.
func (m *Metrics) Request(method, route string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(methodLabel(method), route, strconv.Itoa(status)).Observe(took.Seconds())
}

// methodLabel returns the method, or "other" for an unusual one, so that a visitor cannot create new time series.
func methodLabel(method string) string {
	if slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions}, method) {
		return method
	}
	return "other"
}

// Webhook counts a webhook by the HTTP status of the reply.
func (m *Metrics) Webhook(status int) {
	outcome := refused
	switch {
	case status < 300:
		outcome = taken
	case status >= 500:
		outcome = failed
	}
	m.webhooks.WithLabelValues(outcome).Inc()
}

// StripeCall counts a call to Stripe.
func (m *Metrics) StripeCall(operation, outcome string, took time.Duration) {
	m.calls.WithLabelValues(operation, outcome).Observe(took.Seconds())
}

// Job counts one attempt of a job.
func (m *Metrics) Job(kind string, err error, took time.Duration) {
	outcome := "done"
	if err != nil {
		outcome = failed
	}
	m.jobs.WithLabelValues(kind, outcome).Observe(took.Seconds())
}

// SignInExpired counts a sign-in that expired before its email was sent.
func (m *Metrics) SignInExpired() { m.expired.Inc() }

// EmailRefused counts an email with a secret, which is not stored and so is in no table, that a mail server refused
// permanently.
func (m *Metrics) EmailRefused(kind string) { m.refused.WithLabelValues(kind).Inc() }

// DeclareSecurityEvent exports the count of an event from the start, when it is 0.
func (m *Metrics) DeclareSecurityEvent(event string) { m.security.WithLabelValues(event) }

// SecurityEvent counts an entry of the security log.
func (m *Metrics) SecurityEvent(event string) { m.security.WithLabelValues(event).Inc() }

// WatchPool exports the statistics of the pool of database connections.
func (m *Metrics) WatchPool(db *sql.DB) {
	m.registry.MustRegister(collectors.NewDBStatsCollector(db, "konbit"))
}
