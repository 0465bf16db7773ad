package metrics

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	require.Equal(t, 200, w.Code)
	body, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	return string(body)
}

func TestCounts(t *testing.T) {
	m := New("v1", "abc")
	m.Request("GET", "/give/{org}", 200, 20*time.Millisecond)
	m.Request("BREW", "", 404, time.Millisecond)
	for _, status := range []int{200, 400, 404, 503} {
		m.Webhook(status)
	}
	m.StripeCall("POST /v1/checkout/sessions", "ok", time.Second)
	m.Job("receipt_letter", nil, time.Millisecond)
	m.Job("receipt_letter", errors.New("no"), time.Millisecond)
	m.SignInExpired()
	m.EmailRefused("plan_link")
	m.DeclareSecurityEvent("signed_in")
	m.DeclareSecurityEvent("code_wrong")
	m.SecurityEvent("code_wrong")
	said := scrape(t, m)
	for _, line := range []string{
		`konbit_http_request_duration_seconds_count{method="GET",route="/give/{org}",status="200"} 1`,
		`konbit_http_request_duration_seconds_bucket{method="GET",route="/give/{org}",status="200",le="0.025"} 1`,
		`konbit_http_request_duration_seconds_count{method="other",route="none",status="404"} 1`,
		`konbit_webhooks_total{outcome="taken"} 1`, `konbit_webhooks_total{outcome="refused"} 2`, `konbit_webhooks_total{outcome="failed"} 1`,
		`konbit_stripe_call_duration_seconds_count{operation="POST /v1/checkout/sessions",outcome="ok"} 1`,
		`konbit_job_duration_seconds_count{kind="receipt_letter",outcome="done"} 1`, `konbit_job_duration_seconds_count{kind="receipt_letter",outcome="failed"} 1`,
		`konbit_sign_ins_expired_total 1`, `konbit_unstored_emails_refused_total{kind="plan_link"} 1`,
		`konbit_security_events_total{event="signed_in"} 0`, `konbit_security_events_total{event="code_wrong"} 1`,
		`konbit_build_info{revision="abc",version="v1"} 1`, "go_goroutines ",
	} {
		require.Contains(t, said, line)
	}
}

func TestStateIsToldOrLeftOut(t *testing.T) {
	m := New("v1", "abc")
	broken := error(nil)
	m.WatchState(func(ctx context.Context) ([]Figure, error) {
		_, bounded := ctx.Deadline()
		require.True(t, bounded)
		return []Figure{{StripeEvents, "parked", 3}, {StripeEventsOldest, "", 1.5}, {Receipts, "tsne", 12}, {"unheard_of", "", 1}}, broken
	}, slog.New(slog.DiscardHandler))
	said := scrape(t, m)
	for _, line := range []string{
		"konbit_state_up 1", `konbit_stripe_events{state="parked"} 3`, "konbit_stripe_events_oldest_seconds 1.5",
		"# TYPE konbit_receipts_issued_total counter", `konbit_receipts_issued_total{entity="tsne"} 12`,
	} {
		require.Contains(t, said, line)
	}
	require.NotContains(t, said, "unheard_of")

	broken = errors.New("away")
	said = scrape(t, m)
	require.Contains(t, said, "konbit_state_up 0")
	require.NotContains(t, said, "konbit_stripe_events{")
}

func TestProfiles(t *testing.T) {
	for _, page := range []string{"/debug/pprof/", "/debug/pprof/goroutine", "/debug/pprof/symbol"} {
		w := httptest.NewRecorder()
		New("", "").Handler().ServeHTTP(w, httptest.NewRequest("GET", page, nil))
		require.Equal(t, 200, w.Code, page)
	}
	w := httptest.NewRecorder()
	New("", "").Handler().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, 404, w.Code)
}
