package transport

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRequestsGoToStripeAlone: nothing is sent to another host, to another port or without encryption, also if the
// library or a mistake of ours makes such an address.
func TestRequestsGoToStripeAlone(t *testing.T) {
	var reached atomic.Int64
	here := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(here.Close)
	for allowed, others := range map[string][]string{
		"https://api.stripe.com": {here.URL, "http://api.stripe.com/v1/balance", "https://api.stripe.com.evil.example/v1",
			"https://connect.stripe.com/x", "https://api.stripe.com:8443/v1", "http://169.254.169.254/latest/meta-data/"},
		"http://127.0.0.1:1": {here.URL, "https://127.0.0.1:1/v1", "https://api.stripe.com/v1/balance"},
	} {
		for _, other := range others {
			t.Run(allowed+" "+other, func(t *testing.T) {
				scheme, host, _ := strings.Cut(allowed, "://")
				require.ErrorIs(t, post(t, &Transport{Scheme: scheme, Host: host}, other), errOtherHost)
			})
		}
	}
	require.Zero(t, reached.Load())
	require.NoError(t, post(t, &Transport{Scheme: "http", Host: strings.TrimPrefix(here.URL, "http://")}, here.URL+"/v1/balance"))
	require.EqualValues(t, 1, reached.Load())
}

// TestCallsAtOnceKeepTheirConnections: eight calls at once, made twice, open eight connections.
func TestCallsAtOnceKeepTheirConnections(t *testing.T) {
	const calls = 8
	var opened atomic.Int64
	var arrived sync.WaitGroup // of one turn
	here := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived.Done()
		arrived.Wait()
	}))
	here.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	here.Start()
	t.Cleanup(here.Close)
	to := &Transport{Scheme: "http", Host: strings.TrimPrefix(here.URL, "http://")}
	for range 2 {
		arrived.Add(calls)
		var all sync.WaitGroup
		for range calls {
			all.Go(func() { assert.NoError(t, post(t, to, here.URL+"/v1/balance")) })
		}
		all.Wait()
	}
	require.EqualValues(t, calls, opened.Load())
}

// post sends a form.
func post(t *testing.T, by *Transport, address string) error {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader("name=Ana"))
	require.NoError(t, err)
	response, err := by.RoundTrip(request)
	if err == nil {
		response.Body.Close()
	}
	return err
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
