package stripepay

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

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
