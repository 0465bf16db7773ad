package stripepay

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRequestsGoToStripeAlone: whatever address the library or a mistake of ours makes, nothing is sent to another host,
// another port or without encryption.
func TestRequestsGoToStripeAlone(t *testing.T) {
	var reached atomic.Int64
	here := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(here.Close)
	for apiURL, others := range map[string][]string{
		"": {here.URL, "http://api.stripe.com/v1/balance", "https://api.stripe.com.evil.example/v1", "https://connect.stripe.com/x",
			"https://api.stripe.com:8443/v1", "http://169.254.169.254/latest/meta-data/"},
		"http://127.0.0.1:1": {here.URL, "https://127.0.0.1:1/v1", "https://api.stripe.com/v1/balance"},
	} {
		s, err := New(nil, apiURL, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		for _, other := range others {
			t.Run(apiURL+" "+other, func(t *testing.T) {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, other, strings.NewReader("name=Ana"))
				require.NoError(t, err)
				response, err := observedTransport{s}.RoundTrip(request)
				if err == nil {
					response.Body.Close()
				}
				require.ErrorIs(t, err, errOtherHost)
			})
		}
	}
	require.Zero(t, reached.Load())
	s, err := New(nil, here.URL, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, here.URL+"/v1/balance", nil)
	require.NoError(t, err)
	response, err := observedTransport{s}.RoundTrip(request)
	require.NoError(t, err)
	response.Body.Close()
	require.EqualValues(t, 1, reached.Load())
}

func TestOperationsNameNoObject(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/charges/ch_3QabcdEFGH1234": "GET /v1/charges/{id}", "/v1/checkout/sessions/cs_test_a1B2c3D4e5/expire": "GET /v1/checkout/sessions/{id}/expire",
		"/v1/payment_intents/pi_123456789": "GET /v1/payment_intents/{id}", "/v1/balance_transactions": "GET /v1/balance_transactions",
		"/v1/webhook_endpoints": "GET /v1/webhook_endpoints", "/v1/subscription_schedules/sub_sched_1Abcdef": "GET /v1/subscription_schedules/{id}",
		"/v1/charges/ch_1A/refunds/re_2B": "GET /v1/charges/{id}/refunds/{id}", "/v1/billing_portal/sessions": "GET /v1/billing_portal/sessions",
	} {
		t.Run(path, func(t *testing.T) {
			require.Equal(t, want, operation(httptest.NewRequest("GET", path, nil)))
		})
	}
}
