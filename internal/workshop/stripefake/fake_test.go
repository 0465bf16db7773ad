package stripefake_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"
	"github.com/stripe/stripe-go/v76/webhook"

	"konbit/internal/workshop/stripefake"
)

const key = "sk_test_tsne"

// fake is a running stand-in with a stripe-go client and a webhook endpoint that accepts correctly signed
// events.
type fake struct {
	*stripefake.Server
	t    testing.TB
	url  string
	api  *client.API
	hook *hook
}

// hook is a webhook endpoint that records the events it receives. It answers with status; 0 means 200.
type hook struct {
	mu      sync.Mutex
	events  []stripe.Event
	headers []string
	bodies  [][]byte
	status  int
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	event, err := webhook.ConstructEvent(body, r.Header.Get("Stripe-Signature"), "whsec_one")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h.headers, h.bodies = append(h.headers, r.Header.Get("Stripe-Signature")), append(h.bodies, body)
	h.events = append(h.events, event)
	if h.status != 0 {
		w.WriteHeader(h.status)
	}
}

func (h *hook) answer(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

// types returns the types of the received events in the order of arrival.
func (h *hook) types() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var types []string
	for _, e := range h.events {
		types = append(types, string(e.Type))
	}
	return types
}

func start(t testing.TB, o stripefake.Options) *fake {
	t.Helper()
	f := &fake{t: t, hook: &hook{}}
	hooks := httptest.NewServer(f.hook)
	t.Cleanup(hooks.Close)
	if o.Accounts == nil {
		o.Accounts = []stripefake.Account{{Name: "tsne", SecretKey: key, WebhookURL: hooks.URL, WebhookSecrets: []string{"whsec_two", "whsec_one"}}}
	}
	server, err := stripefake.New(o)
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		listener.Close()
	})
	f.Server, f.url = server, listener.URL
	f.api = f.client(key, 0)
	return f
}

// client returns a stripe-go client of the stand-in.
func (f *fake) client(key string, retries int64) *client.API {
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL: stripe.String(f.url), MaxNetworkRetries: stripe.Int64(retries), LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
		HTTPClient: &http.Client{Timeout: 3 * time.Second}, EnableTelemetry: stripe.Bool(false),
	})
	return client.New(key, &stripe.Backends{API: backend, Connect: backend, Uploads: backend})
}

func (f *fake) drain() {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := f.Drain(ctx); err != nil {
		f.t.Fatal(err)
	}
}

// gift returns the parameters of an ordinary gift of 20.00 with the fee on a separate line.
func gift() *stripe.CheckoutSessionParams {
	line := func(name string, amount int64) *stripe.CheckoutSessionLineItemParams {
		return &stripe.CheckoutSessionLineItemParams{Quantity: stripe.Int64(1), PriceData: &stripe.CheckoutSessionLineItemPriceDataParams{
			Currency: stripe.String("usd"), UnitAmount: stripe.Int64(amount),
			ProductData: &stripe.CheckoutSessionLineItemPriceDataProductDataParams{Name: stripe.String(name)}}}
	}
	p := &stripe.CheckoutSessionParams{
		Mode: stripe.String("payment"), SuccessURL: stripe.String("https://give.example/thanks?s={CHECKOUT_SESSION_ID}"),
		CancelURL: stripe.String("https://give.example/again"), ClientReferenceID: stripe.String("don_1"), CustomerEmail: stripe.String("ana@example.org"),
		Locale: stripe.String("es"), SubmitType: stripe.String("donate"),
		LineItems: []*stripe.CheckoutSessionLineItemParams{line("Donación", 2000), line("Comisión", 89)},
		PaymentIntentData: &stripe.CheckoutSessionPaymentIntentDataParams{Description: stripe.String("Gift don_1"),
			Metadata: map[string]string{"donation": "don_1"}, StatementDescriptorSuffix: stripe.String("CSIO")},
		CustomText: &stripe.CheckoutSessionCustomTextParams{Submit: &stripe.CheckoutSessionCustomTextSubmitParams{Message: stripe.String("Gracias")}},
	}
	p.AddMetadata("donation", "don_1")
	return p
}

func (f *fake) open(p *stripe.CheckoutSessionParams) *stripe.CheckoutSession {
	f.t.Helper()
	cs, err := f.api.CheckoutSessions.New(p)
	if err != nil {
		f.t.Fatal(err)
	}
	return cs
}

// paid opens an ordinary session, pays it with a card and returns it with its lines, intent, charge and
// balance transaction.
func (f *fake) paid(number string) *stripe.CheckoutSession {
	f.t.Helper()
	cs := f.open(gift())
	card := stripefake.GoodCard
	card.Number = number
	if err := f.Pay(cs.ID, card); err != nil {
		f.t.Fatal(err)
	}
	return f.session(cs.ID)
}

func (f *fake) session(id string) *stripe.CheckoutSession {
	f.t.Helper()
	p := &stripe.CheckoutSessionParams{}
	p.AddExpand("line_items")
	p.AddExpand("payment_intent.latest_charge.balance_transaction")
	cs, err := f.api.CheckoutSessions.Get(id, p)
	if err != nil {
		f.t.Fatal(err)
	}
	return cs
}

// send posts a form to a page and does not follow a redirect.
func (f *fake) send(page string, form url.Values) (status int, location, body string) {
	f.t.Helper()
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.PostForm(page, form)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Location"), string(raw)
}

func cardForm(number string) url.Values {
	return url.Values{"card_number": {number}, "exp": {"12/49"}, "cvc": {"123"}, "name": {"Ana Pérez"}}
}

func contains(t testing.TB, body string, wanted ...string) {
	t.Helper()
	for _, w := range wanted {
		if !strings.Contains(body, w) {
			t.Errorf("no %q in:\n%s", w, body)
		}
	}
}

// panel posts a request to the panel and fails the test if the answer is not 200.
func (f *fake) panel(what, body string) {
	f.t.Helper()
	res, err := http.Post(f.url+"/_sandbox/"+what, "application/json", strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	if raw, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusOK {
		f.t.Fatalf("%s %s: %d %s", what, body, res.StatusCode, raw)
	}
}
