package hooks

import (
	"io"
	"net/http"

	"github.com/go-chi/chi/v5"

	"konbit/internal/platform/pg"
	"konbit/internal/platform/securitylog"
	"konbit/internal/processor/stripepay/webhook"
	"konbit/internal/web"
)

// Area serves webhooks.
type Area struct {
	*web.Kernel
	Inbox *webhook.Inbox
}

// signed is why webhooks have no limit.
const signed = "only Stripe can sign a webhook, and each event is stored once"

// Routes returns the area's routes.
func (a *Area) Routes() []web.Route {
	signature := web.Permission[webhook.Event]{Name: "webhook signature", Check: a.verify, Refusal: securitylog.WebhookRefused}
	return []web.Route{web.Post("/hooks/stripe/{entity}", web.Machine, signature, a.stripePost).Unlimited(signed)}
}

// verify returns the webhook of a request whose signature is right for the entity of the address.
func (a *Area) verify(w http.ResponseWriter, r *http.Request) (webhook.Event, error) {
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, webhook.MaxPayload))
	if err != nil {
		return webhook.Event{}, err
	}
	ctx, cancel := pg.WithRequestTimeout(r.Context())
	defer cancel()
	catalog, err := a.Catalog.Current(ctx)
	if err != nil {
		return webhook.Event{}, err
	}
	entity, err := catalog.Entity(chi.URLParam(r, "entity"))
	if err != nil {
		return webhook.Event{}, err
	}
	return a.Inbox.Verify(entity.ID, entity.Slug, payload, r.Header.Get("Stripe-Signature"))
}

// stripePost stores a webhook and answers after its commit. If the database has no time for it, the response is 503
// within pg.RequestTimeout: Stripe sends the webhook again.
func (a *Area) stripePost(_ http.ResponseWriter, r *http.Request, event webhook.Event) error {
	ctx, cancel := pg.WithRequestTimeout(r.Context())
	defer cancel()
	return a.Inbox.Store(ctx, event)
}
