package stripepay

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStripeReceiptsAreFoundOnCharges: Stripe emails no receipts for test accounts, so the answers of a live one are
// written here, after https://docs.stripe.com/api/charges/object.
func TestStripeReceiptsAreFoundOnCharges(t *testing.T) {
	const charge = `{"id":%q,"object":"charge","paid":%t,"metadata":{%s},"receipt_email":"a@b.example","receipt_number":%s}`
	ours := `"konbit_donation":"0198c0de-0000-7000-8000-000000000001"`
	charges := map[string]string{
		"mailed": fmt.Sprintf(charge, "ch_1", true, ours, "null") + "," + fmt.Sprintf(charge, "ch_2", true, ours, `"1234-5678"`) + "," + fmt.Sprintf(charge, "ch_3", true, ours, `"1234-5679"`),
		"silent": fmt.Sprintf(charge, "ch_1", true, ours, "null") + "," + fmt.Sprintf(charge, "ch_2", true, "", `"1234-5678"`) + "," + fmt.Sprintf(charge, "ch_3", false, ours, "null"),
	}
	for name, want := range map[string]StripeReceipts{"mailed": {Checked: 3, LastMailed: "ch_2"}, "silent": {Checked: 1}} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, `{"object":"list","has_more":true,"url":"/v1/charges","data":[%s]}`, charges[name])
			}))
			client, err := New(map[string]Keys{"tsne": {Secret: "sk_test_1"}}, server.URL, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			seen, err := client.StripeReceipts(t.Context(), "tsne")
			require.NoError(t, err)
			require.Equal(t, want, seen)
			server.Close()
		})
	}
}
