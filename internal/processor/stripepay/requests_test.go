package stripepay_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-mock/embedded"
	"github.com/stripe/stripe-mock/server"

	"konbit/internal/giving/checkout"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/money"
	"konbit/internal/processor/refundcall"
	"konbit/internal/processor/stripepay"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// calls are all functions of Stripe's library that the adapter calls, and the requests they make. A new call needs a
// new line here, and a step in tour.
var calls = map[string]string{
	"Balance.Get":                      `GET /v1/balance$`,
	"BillingPortalConfigurations.List": `GET /v1/billing_portal/configurations$`,
	"Customers.Del":                    `DELETE /v1/customers/[^/]+$`,
	"BillingPortalSessions.New":        `POST /v1/billing_portal/sessions$`,
	"Customers.Get":                    `GET /v1/customers/[^/]+$`,
	"Invoices.Get":                     `GET /v1/invoices/[^/]+$`,
	"Invoices.Upcoming":                `GET /v1/invoices/upcoming$`,
	"Invoices.Pay":                     `POST /v1/invoices/[^/]+/pay$`,
	"Invoices.Update":                  `POST /v1/invoices/[^/]+$`,
	"Invoices.VoidInvoice":             `POST /v1/invoices/[^/]+/void$`,
	"Refunds.List":                     `GET /v1/refunds$`,
	"Refunds.New":                      `POST /v1/refunds$`,
	"SubscriptionSchedules.Cancel":     `POST /v1/subscription_schedules/[^/]+/cancel$`,
	"SubscriptionSchedules.Get":        `GET /v1/subscription_schedules/[^/]+$`,
	"SubscriptionSchedules.New":        `POST /v1/subscription_schedules$`,
	"SubscriptionSchedules.Release":    `POST /v1/subscription_schedules/[^/]+/release$`,
	"SubscriptionSchedules.Update":     `POST /v1/subscription_schedules/[^/]+$`,
	"Subscriptions.Cancel":             `DELETE /v1/subscriptions/[^/]+$`,
	"Subscriptions.Get":                `GET /v1/subscriptions/[^/]+$`,
	"Subscriptions.Update":             `POST /v1/subscriptions/[^/]+$`,
	"BalanceTransactions.List":         `GET /v1/balance_transactions$`,
	"Charges.Get":                      `GET /v1/charges/(?:ch|py)_[^/]+$`,
	"Charges.Search":                   `GET /v1/charges/search$`,
	"Charges.List":                     `GET /v1/charges$`,
	"CheckoutSessions.Expire":          `POST /v1/checkout/sessions/[^/]+/expire$`,
	"CheckoutSessions.Get":             `GET /v1/checkout/sessions/[^/]+$`,
	"CheckoutSessions.List":            `GET /v1/checkout/sessions$`,
	"CheckoutSessions.New":             `POST /v1/checkout/sessions$`,
	"Disputes.Get":                     `GET /v1/disputes/[^/]+$`,
	"Events.List":                      `GET /v1/events$`,
	"PaymentIntents.Get":               `GET /v1/payment_intents/[^/]+$`,
	"BalanceTransactions.Get":          `GET /v1/balance_transactions/[^/]+$`,
	"Invoices.List":                    `GET /v1/invoices$`,
	"Payouts.Get":                      `GET /v1/payouts/[^/]+$`,
	"PaymentIntents.List":              `GET /v1/payment_intents$`,
	"PaymentIntents.New":               `POST /v1/payment_intents$`,
	"Subscriptions.List":               `GET /v1/subscriptions$`,
	"Subscriptions.New":                `POST /v1/subscriptions$`,
	"WebhookEndpoints.List":            `GET /v1/webhook_endpoints$`,
	"WebhookEndpoints.New":             `POST /v1/webhook_endpoints$`,
	"WebhookEndpoints.Update":          `POST /v1/webhook_endpoints/[^/]+$`,
}

// official validates requests by Stripe's own description of its API, as stripe-mock reads it.
var official = sync.OnceValues(func() (http.Handler, error) {
	spec, err := server.LoadSpec(embedded.OpenAPISpec, "")
	if err != nil {
		return nil, err
	}
	fixtures, err := server.LoadFixtures(embedded.OpenAPIFixtures, "")
	if err != nil {
		return nil, err
	}
	// The description is of a newer version of the API than ours: with strict versions it would refuse every request.
	stub, err := server.NewStubServer(fixtures, spec, false, false)
	return http.HandlerFunc(stub.HandleRequest), err
})

// judged sends requests to Stripe after the official validator has checked them.
type judged struct {
	http.RoundTripper
	validator http.Handler

	mu    sync.Mutex
	seen  map[string]bool
	wrong []string
}

func (j *judged) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Stripe-Version") == "" {
		return j.RoundTripper.RoundTrip(r) // not from Stripe's library
	}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	shown := r.Clone(r.Context())
	shown.Body, shown.RequestURI = io.NopCloser(bytes.NewReader(body)), r.URL.RequestURI()
	answer := httptest.NewRecorder()
	j.validator.ServeHTTP(answer, shown)

	j.mu.Lock()
	defer j.mu.Unlock()
	j.seen[r.Method+" "+r.URL.Path] = true
	if answer.Code != http.StatusOK && !isOlder(r) {
		j.wrong = append(j.wrong, fmt.Sprintf("%s %s %s: %s", r.Method, r.URL.RequestURI(), body, answer.Body))
	}
	return j.RoundTripper.RoundTrip(r)
}

// isOlder reports whether a valid request of our version of the API is not in the description, which is newer: the next
// invoice of a subscription, which newer versions create by POST.
func isOlder(r *http.Request) bool {
	query := r.URL.Query()
	return r.Method == http.MethodGet && r.URL.Path == "/v1/invoices/upcoming" && len(query) == 1 && query.Has("subscription")
}

// judge makes every request of this test go through the validator.
func judge(t *testing.T) *judged {
	t.Helper()
	validator, err := official()
	require.NoError(t, err)
	j := &judged{RoundTripper: http.DefaultTransport, validator: validator, seen: map[string]bool{}}
	http.DefaultTransport = j
	t.Cleanup(func() { http.DefaultTransport = j.RoundTripper })
	return j
}

// TestRequestsAreValidToStripe makes every call and has the official validator check each request.
func TestRequestsAreValidToStripe(t *testing.T) {
	j := judge(t)
	tour(t)
	require.Empty(t, j.wrong)
	for _, call := range slices.Sorted(maps.Keys(calls)) {
		made := slices.ContainsFunc(slices.Collect(maps.Keys(j.seen)), regexp.MustCompile("^"+calls[call]).MatchString)
		assert.True(t, made, "the tour makes no call of %s", call)
	}
}

// tour makes every call of the adapter.
func tour(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	h := program.New(t, program.Options{})
	require.NoError(t, h.Stripe.Check(ctx, "tsne"))

	// The endpoint: created, found, and updated to the handled types.
	client, person := at(t)
	made, err := client.EnsureEndpoint(ctx, "tsne", hook)
	require.NoError(t, err)
	person("POST", "/v1/webhook_endpoints/"+made.ID, map[string][]string{"enabled_events[]": {"charge.succeeded"}})
	_, err = client.EnsureEndpoint(ctx, "tsne", hook)
	require.NoError(t, err)
	_, err = h.Stripe.StripeReceipts(ctx, "tsne")
	require.NoError(t, err)
	require.NoError(t, h.Stripe.CheckPortal(ctx, "tsne"))

	// Donations: created with everything a form can ask for, expired, and searched for.
	f := program.ValidForm()
	f.Language, f.CoverFees = "es", true
	closed := h.StartedGift(f)
	done, err := h.Stripe.Expire(ctx, "tsne", *h.Checkout(closed).SessionID)
	require.NoError(t, err)
	require.True(t, done)
	again, err := h.Stripe.Expire(ctx, "tsne", *h.Checkout(closed).SessionID)
	require.NoError(t, err)
	require.True(t, again)
	paid := h.StartedGift(program.ValidForm())
	h.Pay(paid)
	open := h.StartedGift(program.ValidForm())
	found, err := h.Stripe.Find(ctx, checkout.Order{EntitySlug: "tsne", DonationID: open.ID, ExpiresAt: h.Checkout(open).ExpiresAt})
	require.NoError(t, err)
	require.NotNil(t, found)

	// Events of another version, and a payment known by its intent alone, are fetched.
	other := func(event, _ map[string]any) { event["api_version"] = "2031-01-01" }
	h.Deliver(h.AlterEvent(h.EventOf(paid, "charge.succeeded"), other))
	second := h.SettledGift(program.ValidForm())
	_, err = h.Stripe.Transaction(ctx, h.Offer("csio").Entity, "txn_unknown")
	require.Error(t, err)
	unknown, err := h.Stripe.Payout(ctx, h.Offer("csio").Entity, "po_unknown")
	require.NoError(t, err)
	require.Nil(t, unknown)
	_, _, err = h.Stripe.PaidInvoices(ctx, "tsne", "sub_unknown")
	require.NoError(t, err)
	_, err = h.Fake.Dispute(h.IntentOf(second), false)
	require.NoError(t, err)
	for _, body := range h.Fake.Events() {
		if e := h.ParseEvent(body); strings.HasPrefix(e.Type, "charge.dispute.") {
			h.Deliver(h.AlterEvent(e, other))
		}
	}
	alone := h.StartedGift(program.ValidForm())
	h.Pay(alone)
	h.Deliver(h.EventOf(alone, "payment_intent.succeeded"))
	h.DrainAll()
	h.RetryParked()
	h.RetryParked() // the third attempt reads the charge
	require.Equal(t, donation.Settled, h.Gift(alone.ID).Status)

	tourPlans(t, h)

	// A refund that staff ordered, made and found, and the card that it goes to.
	charge := h.Lines(`SELECT charge_ref FROM payment WHERE donation_id = $1`, second.ID)[0]
	refunds := h.Stripe.Refunds()
	_, err = refunds.CardOf(ctx, "tsne", charge)
	require.NoError(t, err)
	_, _, err = refunds.ChargesOfCard(ctx, "tsne", "4242", time.Time{}, time.Time{})
	require.NoError(t, err)
	_, _ = refunds.CreateRefund(ctx, refundcall.Request{ // refused: the payment is disputed
		Entity: "tsne", Charge: charge, Order: program.NewID(), Amount: money.New(100, "USD"), Reason: refundcall.Requested, Key: "refund:tour:1",
	})
	_, err = refunds.RefundsOf(ctx, "tsne", charge)
	require.NoError(t, err)

	// The sweep, with a refund and a payout.
	_, err = h.Fake.Refund(h.IntentOf(alone), 700)
	require.NoError(t, err)
	h.Fake.Advance(10 * 24 * time.Hour)
	_, err = h.Fake.Payout("tsne")
	require.NoError(t, err)
	require.NoError(t, h.Fake.SetMode(stripefake.Drop))
	_, err = h.Sweeper.Sweep(ctx)
	require.NoError(t, err)
}

// TestEveryCallIsListed reads the adapter's code: calls lists exactly what it calls.
func TestEveryCallIsListed(t *testing.T) {
	found := map[string]bool{}
	here, err := filepath.Glob("*.go")
	require.NoError(t, err)
	below, err := filepath.Glob("*/*.go")
	require.NoError(t, err)
	for _, file := range append(here, below...) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(source, func(n ast.Node) bool {
			if method, ok := n.(*ast.SelectorExpr); ok {
				if service, ok := method.X.(*ast.SelectorExpr); ok && isAPI(service.X) {
					found[service.Sel.Name+"."+method.Sel.Name] = true
				}
			}
			return true
		})
	}
	require.Equal(t, slices.Sorted(maps.Keys(calls)), slices.Sorted(maps.Keys(found)))
}

// isAPI reports whether code names Stripe's library: account.api, or a variable api.
func isAPI(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name == "api"
	case *ast.Ident:
		return e.Name == "api"
	}
	return false
}

// TestTheValidatorRefuses: the validator can fail.
func TestTheValidatorRefuses(t *testing.T) {
	j := judge(t)
	client, err := stripepay.New(map[string]stripepay.Keys{"tsne": {Secret: "sk_test_tsne"}}, "http://127.0.0.1:1", (&program.Log{}).Logger())
	require.NoError(t, err)
	require.Error(t, client.Check(t.Context(), "tsne"), "nobody answers there")
	require.Empty(t, j.wrong)
	for _, wrong := range []string{"mode=gift", "nonsense=1", "expires_at=tomorrow"} {
		r, err := http.NewRequest("POST", "http://127.0.0.1:1/v1/checkout/sessions", strings.NewReader(wrong))
		require.NoError(t, err)
		r.Header.Set("Stripe-Version", "2023-10-16")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth("sk_test_tsne", "")
		_, _ = j.RoundTrip(r) // no server answers, but the request was validated
		require.Len(t, j.wrong, 1, wrong)
		j.wrong = nil
	}
}
