package stripepay_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPortalTakesCardsAlone: CheckPortal reports what a donor could do at Stripe instead of on our own pages, and if a
// card cannot be changed there.
func TestPortalTakesCardsAlone(t *testing.T) {
	client, person := at(t)
	ctx := t.Context()
	require.NoError(t, client.CheckPortal(ctx, "tsne"))
	all := person("GET", "/v1/billing_portal/configurations", nil)["data"].([]any)
	require.Len(t, all, 1)
	path := "/v1/billing_portal/configurations/" + all[0].(map[string]any)["id"].(string)

	person("POST", path, url.Values{"features[payment_method_update][enabled]": {"false"}})
	require.ErrorContains(t, client.CheckPortal(ctx, "tsne"), "switch payment methods on, in Stripe's dashboard, Settings, Billing, Customer portal")
	person("POST", path, url.Values{"features[payment_method_update][enabled]": {"true"}, "features[subscription_pause][enabled]": {"true"}, "features[subscription_cancel][enabled]": {"true"}})
	require.ErrorContains(t, client.CheckPortal(ctx, "tsne"), "it offers donors cancelling, pausing")
	person("POST", path, url.Values{"active": {"false"}})
	require.ErrorContains(t, client.CheckPortal(ctx, "tsne"), "there is none")
}
