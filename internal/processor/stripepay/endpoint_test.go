package stripepay_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/processor/stripepay"
	"konbit/internal/processor/stripepay/webhook"
	"konbit/internal/workshop/stripefake"
)

const hook = "https://give.example.org/hooks/stripe/tsne"

// at returns a client for a stand-in with one account and no endpoint, and a function that makes requests as a person
// does in the dashboard.
func at(t *testing.T) (*stripepay.Stripe, func(method, path string, form url.Values) map[string]any) {
	t.Helper()
	fake, err := stripefake.New(stripefake.Options{Accounts: []stripefake.Account{{Name: "tsne", SecretKey: "sk_test_tsne"}}})
	require.NoError(t, err)
	server := httptest.NewServer(fake)
	t.Cleanup(func() { server.Close(); require.NoError(t, fake.Close()) })
	client, err := stripepay.New(map[string]stripepay.Keys{"tsne": {Secret: "sk_test_tsne"}}, server.URL, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return client, func(method, path string, form url.Values) (answer map[string]any) {
		t.Helper()
		req, err := http.NewRequest(method, server.URL+path, strings.NewReader(form.Encode()))
		require.NoError(t, err)
		req.SetBasicAuth("sk_test_tsne", "")
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
		require.Equal(t, 200, resp.StatusCode, "%v", answer)
		return answer
	}
}

func TestEndpointIsCreatedOnceAndStored(t *testing.T) {
	client, person := at(t)
	ctx := t.Context()
	require.ErrorContains(t, client.CheckEndpoint(ctx, "tsne", hook), "none sends to "+hook+": konbit stripe endpoint --entity tsne")

	made, err := client.EnsureEndpoint(ctx, "tsne", hook)
	require.NoError(t, err)
	require.Equal(t, "created", made.Action)
	require.Equal(t, "2023-10-16", made.APIVersion)
	require.True(t, strings.HasPrefix(made.Secret, "whsec_"))
	require.NoError(t, client.CheckEndpoint(ctx, "tsne", hook))
	there := person("GET", "/v1/webhook_endpoints/"+made.ID, nil)
	require.Equal(t, "2023-10-16", there["api_version"])
	require.ElementsMatch(t, webhook.HandledTypes(), there["enabled_events"])

	again, err := client.EnsureEndpoint(ctx, "tsne", hook)
	require.NoError(t, err)
	require.Equal(t, "unchanged", again.Action)
	require.Equal(t, made.ID, again.ID)
	require.Empty(t, again.Secret, "shown once")
	require.Len(t, person("GET", "/v1/webhook_endpoints", nil)["data"], 1)
}

func TestEndpointIsBroughtToWhatIsHandled(t *testing.T) {
	client, person := at(t)
	ctx := t.Context()
	made, err := client.EnsureEndpoint(ctx, "tsne", hook)
	require.NoError(t, err)
	for why, change := range map[string]url.Values{
		"is disabled":                  {"disabled": {"true"}},
		"does not send charge.":        {"enabled_events[]": {"account.updated"}},
		"sends account.updated, which": {"enabled_events[]": append(webhook.HandledTypes(), "account.updated")},
		"sends every type of event":    {"enabled_events[]": {"*"}},
		"checkout.session.completed":   {"enabled_events[]": webhook.HandledTypes()[:1]},
	} {
		t.Run(why, func(t *testing.T) {
			person("POST", "/v1/webhook_endpoints/"+made.ID, change)
			err := client.CheckEndpoint(ctx, "tsne", hook)
			require.ErrorContains(t, err, why)
			require.ErrorContains(t, err, "konbit stripe endpoint --entity tsne")
			set, err := client.EnsureEndpoint(ctx, "tsne", hook)
			require.NoError(t, err)
			require.Equal(t, "updated", set.Action)
			require.NoError(t, client.CheckEndpoint(ctx, "tsne", hook))
		})
	}
}

func TestEndpointsThatCannotBeStored(t *testing.T) {
	client, person := at(t)
	ctx := t.Context()
	old := person("POST", "/v1/webhook_endpoints", url.Values{"url": {hook}, "api_version": {"2022-11-15"}, "enabled_events[]": {"*"}})
	_, err := client.EnsureEndpoint(ctx, "tsne", hook)
	require.ErrorContains(t, err, "sends API version 2022-11-15, not 2023-10-16, which cannot be changed: delete it")
	require.ErrorContains(t, client.CheckEndpoint(ctx, "tsne", hook), "2022-11-15")
	person("DELETE", "/v1/webhook_endpoints/"+old["id"].(string), nil)

	_, err = client.EnsureEndpoint(ctx, "tsne", hook)
	require.NoError(t, err)
	second := person("POST", "/v1/webhook_endpoints", url.Values{"url": {"https://GIVE.example.org/old"}, "enabled_events[]": {"*"}})
	require.ErrorContains(t, client.CheckEndpoint(ctx, "tsne", hook), "a second endpoint, "+second["id"].(string)+", sends to this host as well")
	person("POST", "/v1/webhook_endpoints/"+second["id"].(string), url.Values{"disabled": {"true"}})
	require.NoError(t, client.CheckEndpoint(ctx, "tsne", hook))
	person("POST", "/v1/webhook_endpoints", url.Values{"url": {"https://books.example.org/"}, "enabled_events[]": {"*"}})
	require.NoError(t, client.CheckEndpoint(ctx, "tsne", hook), "another host's is another's affair")
}
