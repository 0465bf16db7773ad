package stripepay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"

	"konbit/internal/giving/billing"
	"konbit/internal/platform/fault"
	"konbit/internal/processor/stripepay/refunds"
	"konbit/internal/processor/stripepay/remote"
	"konbit/internal/processor/stripepay/transport"
	"konbit/internal/processor/stripepay/turns"
)

const (
	// callTimeout limits one call; Stripe's library would wait 80 s. A page limits all its calls together.
	callTimeout = 5 * time.Second
	// Calls per second of one account, well under Stripe's limits of 25 in test mode and 100 in live mode
	// (https://docs.stripe.com/rate-limits).
	callsPerSecondTest, callsPerSecondLive = 20, 80
)

// Keys are an entity's credentials.
type Keys struct {
	Secret         string   // sk_test_… or sk_live_…, also restricted keys rk_…
	WebhookSecrets []string // whsec_…; several while rotating
}

// Live reports whether the keys move real money.
func (k Keys) Live() bool {
	return strings.HasPrefix(k.Secret, "sk_live_") || strings.HasPrefix(k.Secret, "rk_live_")
}

// WebhookKeys is part of webhook.Keys.
func (s *Stripe) WebhookKeys(entitySlug string) (secrets []string, live, ok bool) {
	a, ok := s.accounts[entitySlug]
	if !ok {
		return nil, false, false
	}
	return a.keys.WebhookSecrets, a.keys.Live(), true
}

// Stripe calls the API for the accounts of all entities.
type Stripe struct {
	accounts map[string]*account // by the entity's slug
	scheme   string              // of payment pages
	pages    []string            // hosts they may be on
	sends    *transport.Transport
}

type account struct {
	api   *client.API
	keys  Keys
	turns *turns.Queue // each call waits for its turn
}

// New returns a client. apiURL is a stand-in's address, empty for Stripe. It reports an error if a stand-in has a live key.
func New(keys map[string]Keys, apiURL string, log *slog.Logger) (*Stripe, error) {
	s := &Stripe{
		accounts: map[string]*account{}, scheme: "https", pages: []string{"checkout.stripe.com", portalHost, invoiceHost},
		sends: &transport.Transport{Scheme: "https", Host: strings.TrimPrefix(stripe.APIURL, "https://")},
	}
	config := &stripe.BackendConfig{
		HTTPClient:        &http.Client{Timeout: callTimeout, Transport: s.sends, CheckRedirect: refuseRedirect},
		LeveledLogger:     libraryLogger{log},
		MaxNetworkRetries: stripe.Int64(0), // retried here, where the idempotency rules are known
		URL:               stripe.String(stripe.APIURL),
	}
	if apiURL != "" {
		stand, err := url.Parse(apiURL)
		if err != nil || stand.Host == "" {
			return nil, fmt.Errorf("STRIPE_API_URL: %q is not an address such as http://127.0.0.1:8081", apiURL)
		}
		config.URL = stripe.String(strings.TrimSuffix(apiURL, "/"))
		s.scheme, s.pages = stand.Scheme, []string{stand.Host}
		s.sends.Scheme, s.sends.Host = stand.Scheme, stand.Host
	}
	for slug, k := range keys {
		if apiURL != "" && k.Live() {
			return nil, fmt.Errorf("STRIPE_API_URL names a stand-in and the key of %s is live: unset one of them", slug)
		}
		queue := turns.New(callsPerSecond(k, apiURL))
		s.accounts[slug] = &account{client.New(k.Secret, backendsOf(config, queue)), k, queue}
	}
	return s, nil
}

// Observe sets the observer of calls. It must be called before the first call.
func (s *Stripe) Observe(o transport.Observer) { s.sends.Observe = o }

// refuseRedirect refuses redirects. Stripe's API makes none; one would send a donor's data to another host.
func refuseRedirect(*http.Request, []*http.Request) error {
	return errors.New("stripe: redirected, not followed")
}

// callsPerSecond returns the rate limit of an account. A stand-in has none.
func callsPerSecond(k Keys, apiURL string) float64 {
	switch {
	case apiURL != "":
		return math.Inf(1)
	case k.Live():
		return callsPerSecondLive
	default:
		return callsPerSecondTest
	}
}

// backendsOf returns what calls Stripe for one account, each call in its turn.
func backendsOf(config *stripe.BackendConfig, q *turns.Queue) *stripe.Backends {
	inTurn := func(kind stripe.SupportedBackend) stripe.Backend {
		return turns.Backend(stripe.GetBackendWithConfig(kind, config), q)
	}
	return &stripe.Backends{API: inTurn(stripe.APIBackend), Connect: inTurn(stripe.ConnectBackend), Uploads: inTurn(stripe.UploadsBackend)}
}

// PageOrigins returns the origins of payment pages, for the Content-Security-Policy of our pages.
func (s *Stripe) PageOrigins() []string {
	origins := make([]string, len(s.pages))
	for i, host := range s.pages {
		origins[i] = s.scheme + "://" + host
	}
	return origins
}

// Refunds returns what makes the refunds that staff ordered.
func (s *Stripe) Refunds() refunds.Client { return refunds.Client{API: s.api, Translate: translate} }

func (s *Stripe) api(slug string) (*client.API, error) {
	a, err := s.account(slug)
	if err != nil {
		return nil, err
	}
	return a.api, nil
}

func (s *Stripe) account(slug string) (*account, error) {
	a, ok := s.accounts[slug]
	if !ok {
		return nil, fault.Wrap(fault.Unavailable, "problem.503.text", fmt.Errorf("no Stripe key for entity %s", slug))
	}
	return a, nil
}

// translate turns the error of a call into an error of this program: fault.Unavailable if Stripe or the network failed,
// billing.ErrWrongKey if Stripe does not accept the key, an unexpected error if Stripe refused the call, which is a defect
// of ours.
func translate(err error) error {
	var refused *stripe.Error
	if !errors.As(err, &refused) {
		return fault.Wrap(fault.Unavailable, "problem.503.text", err)
	}
	short := fmt.Errorf("stripe: %d %s, request %s", refused.HTTPStatusCode, remote.Refusal(refused), refused.RequestID)
	switch {
	case refused.HTTPStatusCode >= 500 || isRetryable(refused):
		return fault.Wrap(fault.Unavailable, "problem.503.text", short)
	case refused.HTTPStatusCode == http.StatusUnauthorized || refused.HTTPStatusCode == http.StatusForbidden:
		return fmt.Errorf("%w: %w", billing.ErrWrongKey, short)
	case refused.Code == stripe.ErrorCodeResourceMissing:
		return fmt.Errorf("%w: %w", errMissing, short)
	}
	return short
}

// errMissing: the object is not in the account of the key. That does not say that it is gone: Stripe answers the same for
// an object of another account, and for a live object with a test key.
var errMissing = errors.New("not in this account")

// isRetryable reports whether the same call with the same key may be repeated soon: too many calls, or another call
// with the same key is running.
func isRetryable(e *stripe.Error) bool {
	return e.HTTPStatusCode == http.StatusTooManyRequests || e.HTTPStatusCode == http.StatusConflict
}

// libraryLogger logs the warnings of Stripe's library without their texts, which may quote a request.
type libraryLogger struct{ log *slog.Logger }

func (q libraryLogger) Debugf(string, ...any)             {}
func (q libraryLogger) Infof(string, ...any)              {}
func (q libraryLogger) Warnf(format string, args ...any)  { q.log.Debug("stripe: library warning") }
func (q libraryLogger) Errorf(format string, args ...any) { q.log.Debug("stripe: library error") }

// Check reads the entity's balance. It reports an error if there is no key or Stripe does not accept it.
func (s *Stripe) Check(ctx context.Context, entitySlug string) error {
	a, ok := s.accounts[entitySlug]
	if !ok {
		return fmt.Errorf("has no key: set STRIPE_SECRET_KEY_%s", strings.ToUpper(strings.ReplaceAll(entitySlug, "-", "_")))
	}
	params := &stripe.BalanceParams{}
	params.Context = ctx
	if _, err := a.api.Balance.Get(params); err != nil {
		return translate(err)
	}
	return nil
}

// DisputePage returns the address of a dispute on Stripe's dashboard.
func (s *Stripe) DisputePage(entitySlug, ref string) string {
	page := "https://dashboard.stripe.com/"
	if a, err := s.account(entitySlug); err == nil && !a.keys.Live() {
		page += "test/"
	}
	return page + "disputes/" + url.PathEscape(ref)
}
