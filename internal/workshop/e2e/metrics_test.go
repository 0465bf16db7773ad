package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
)

// give submits a form, pays with a good card, and waits until the gift is settled.
func (s *Stack) give(org string, name string) startedGift {
	s.t.Helper()
	b := s.begin(org, form(name))
	require.NoError(s.t, s.Stripe().Pay(b.session, stripefake.GoodCard))
	s.waitStatus(b, "settled")
	return b
}

// TestMetrics reads the metrics, which have their own address.
func TestMetrics(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Stopped: true})
	watched := freeAddr(s)
	s.own = map[string]string{"METRICS_ADDR": watched}
	s.Restart()
	s.give("csio", "Canaria")
	s.waitForEmails(1)
	require.Equal(t, http.StatusNotFound, s.get("/wp-login.php?name=Canaria").status)
	s.post("/hooks/stripe/tsne", nil)

	page := func(path string) answer { return s.read(script.Get("http://" + watched + path)) }
	var metrics string
	testkit.Eventually(t, waitTimeout, func() error {
		if metrics = page("/metrics").body; !strings.Contains(metrics, "\nkonbit_fees_due 0\n") {
			return unexpected{"the fees due", metrics, "booked"}
		}
		return nil
	})
	for _, line := range []string{
		`konbit_http_request_duration_seconds_count{method="POST",route="/give/{org}",status="303"} 1`,
		`konbit_http_request_duration_seconds_count{method="POST",route="/hooks/stripe/{entity}",status="400"} 1`,
		`konbit_webhooks_total{outcome="refused"} 1`, `konbit_webhooks_total{outcome="failed"} 0`,
		`konbit_stripe_call_duration_seconds_count{operation="POST /v1/checkout/sessions",outcome="ok"} 1`,
		`outcome="done"} 1`, "konbit_state_up 1", `konbit_receipts_issued_total{entity="tsne"} 1`,
		`konbit_stripe_events{state="set_aside"} 0`, "konbit_stripe_events_oldest_seconds ", `konbit_jobs{state="given_up"} 0`, `konbit_emails{state="waiting"} 0`,
		`konbit_emails{state="refused"} 0`, "konbit_donations_open 0", "konbit_tasks_open ", `go_sql_max_open_connections{db_name="konbit"} `, "konbit_build_info{",
	} {
		require.Contains(t, metrics, line)
	}
	require.NotContains(t, metrics, `konbit_webhooks_total{outcome="taken"} 0`)
	for _, personal := range []string{"anaria", "donor.example", "wp-login", s.DB.ServerURL, "sk_test", "whsec"} {
		require.NotContains(t, metrics, personal)
	}
	require.Equal(t, http.StatusOK, page("/debug/pprof/goroutine").status)
	require.NotContains(t, page("/debug/pprof/cmdline").body, "whsec")
	require.Equal(t, http.StatusNotFound, page("/give/csio").status)

	for _, hidden := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap", "/debug/vars"} {
		require.Equal(t, http.StatusNotFound, s.get(hidden).status, "%s is not for the public", hidden)
	}
	require.NoError(t, s.Stop())
	_, err := http.Get("http://" + watched + "/metrics")
	require.Error(t, err)
}
