package stripepay_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/billing"
	"konbit/internal/giving/checkout"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/processor/stripepay"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/short"
)

// order returns an order for a donation of $20.
func order() checkout.Order {
	return checkout.Order{
		DonationID: uuid.New(), EntitySlug: "tsne", OrgSlug: "csio", Email: "ana@example.org", ExpiresAt: time.Now().Add(time.Hour),
		SuccessURL: "http://konbit.example/thanks", BackURL: "http://konbit.example/give",
		Lines: []checkout.OrderLine{{Title: "A gift", Amount: money.New(2000, "USD")}},
	}
}

func speaker(t *testing.T, apiURL string) *stripepay.Stripe {
	t.Helper()
	var log program.Log
	s, err := stripepay.New(map[string]stripepay.Keys{"tsne": {Secret: "sk_test_x"}}, apiURL, log.Logger())
	require.NoError(t, err)
	return s
}

// TestRedirectsAreNotFollowed is threat T19: an answer in Stripe's place must not send us, with a donor's data and our
// key, to another address: another host, this machine, the metadata service of a cloud.
func TestRedirectsAreNotFollowed(t *testing.T) {
	short.Skip(t, "seconds of pauses between tries")
	t.Parallel()
	var reached atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reached.Add(1) }))
	t.Cleanup(elsewhere.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{elsewhere.URL + "/v1/checkout/sessions", "/elsewhere", "http://169.254.169.254/latest/meta-data/"} {
			here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/elsewhere" {
					reached.Add(1)
				}
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Location", to)
				w.WriteHeader(status)
			}))
			_, err := speaker(t, here.URL).Create(t.Context(), order())
			assert.True(t, fault.Is(err, fault.Unavailable), "%d %s: %v", status, to, err)
			here.Close()
		}
	}
	assert.Zero(t, reached.Load())
}

// TestPaymentPagesAreOnStripesHostAlone: a donor is sent to no other host, also if Stripe's answer names one.
func TestPaymentPagesAreOnStripesHostAlone(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"https://evil.example/c/pay/cs_test_1", "//evil.example/c", "https:evil.example", "javascript:alert(1)", "data:text/html,x", "", "/c/pay/1",
		"http://%HOST%@evil.example/", "http://%HOST%.evil.example/", "http://evil.example#%HOST%", "http://evil.example\\@%HOST%/", "http://%HOST%\r\nX: y",
		"https://%HOST%/c/pay/1", "ftp://%HOST%/c", "javascript://%HOST%/%0aalert(1)", "http://user:pass@%HOST%/c",
	} {
		var host string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, `{"id":"cs_test_1","object":"checkout.session","url":%q}`, strings.ReplaceAll(address, "%HOST%", host))
		}))
		host = strings.TrimPrefix(server.URL, "http://")
		session, err := speaker(t, server.URL).Create(t.Context(), order())
		assert.Error(t, err, "%s led to %q", address, session.URL)
		server.Close()
	}
}

func TestAStandInIsRefusedWithALiveKey(t *testing.T) {
	var log program.Log
	for _, key := range []string{"sk_live_x", "rk_live_x"} {
		_, err := stripepay.New(map[string]stripepay.Keys{"tsne": {Secret: key}}, "http://127.0.0.1:8081", log.Logger())
		assert.ErrorContains(t, err, "STRIPE_API_URL", key)
		s, err := stripepay.New(map[string]stripepay.Keys{"tsne": {Secret: key}}, "", log.Logger())
		require.NoError(t, err)
		assert.Equal(t, []string{"https://checkout.stripe.com", "https://billing.stripe.com", "https://invoice.stripe.com"}, s.PageOrigins(), "payment pages and the billing portal")
	}
}

// TestAWrongKeyIsNoAnswer: Stripe refuses the key, or the key is of another account. Nothing is concluded about the
// object, and a person can set the right key.
func TestAWrongKeyIsNoAnswer(t *testing.T) {
	t.Parallel()
	for status, code := range map[int]string{http.StatusUnauthorized: "", http.StatusForbidden: "", http.StatusNotFound: "resource_missing"} {
		here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"error":{"type":"invalid_request_error","code":%q}}`, code)
		}))
		s := speaker(t, here.URL)
		target := billing.Target{Entity: "tsne", Subscription: "sub_1", Customer: "cus_1", Key: "k"}
		_, err := s.Resume(t.Context(), target)
		assert.ErrorIs(t, err, billing.ErrWrongKey, "%d", status)
		assert.ErrorIs(t, s.End(t.Context(), target), billing.ErrWrongKey, "%d", status)
		assert.ErrorIs(t, s.ForgetCustomer(t.Context(), "tsne", "cus_1"), billing.ErrWrongKey, "%d", status)
		target.Customer = ""
		assert.ErrorIs(t, s.End(t.Context(), target), billing.ErrWrongKey, "%d", status)
		here.Close()
	}
}

// TestARefusalSaysWhy: what a task shows to a person has Stripe's message, without the values that it quotes.
func TestARefusalSaysWhy(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"A canceled subscription can only update its metadata.": "stripe: 400 invalid_request_error pause_collection A canceled subscription can only update its metadata., request ",
		"Invalid name: Ana":     "stripe: 400 invalid_request_error pause_collection Invalid name, request ",
		"'ana' is not a name":   "stripe: 400 invalid_request_error pause_collection, request ",
		"Write to ana@site.org": "stripe: 400 invalid_request_error pause_collection, request ",
	} {
		here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprintf(w, `{"error":{"type":"invalid_request_error","param":"pause_collection","message":%q}}`, message)
		}))
		_, err := speaker(t, here.URL).Resume(t.Context(), billing.Target{Entity: "tsne", Subscription: "sub_1", Customer: "cus_1", Key: "k"})
		assert.ErrorContains(t, err, want)
		here.Close()
	}
}
