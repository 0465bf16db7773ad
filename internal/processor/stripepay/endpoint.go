package stripepay

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/processor/stripepay/webhook"
)

// Endpoint is an entity's webhook endpoint at Stripe.
type Endpoint struct {
	ID         string   `json:"id"`
	URL        string   `json:"url"`
	APIVersion string   `json:"api_version"`
	Events     []string `json:"events"`
	Secret     string   `json:"secret,omitempty"` // whsec_…, only of an endpoint that was just created: Stripe shows it once
	Action     string   `json:"done"`             // created, updated or unchanged
}

// EnsureEndpoint makes sure that one enabled endpoint sends the events that we handle, in our API version, to address.
// It creates the endpoint or updates an existing one. It reports an error, which says what to do, if the existing one
// has another version: that cannot be changed.
func (s *Stripe) EnsureEndpoint(ctx context.Context, entitySlug, address string) (Endpoint, error) {
	a, err := s.account(entitySlug)
	if err != nil {
		return Endpoint{}, err
	}
	all, err := a.endpoints(ctx)
	if err != nil {
		return Endpoint{}, err
	}
	at := slices.IndexFunc(all, func(e *stripe.WebhookEndpoint) bool { return e.URL == address })
	if at < 0 {
		return a.createEndpoint(ctx, address)
	}
	existing := all[at]
	if err := webhook.CheckVersion(existing); err != nil {
		return Endpoint{}, err
	}
	found := Endpoint{ID: existing.ID, URL: existing.URL, APIVersion: existing.APIVersion, Events: webhook.HandledTypes(), Action: "unchanged"}
	if webhook.CheckEvents(existing) == nil && existing.Status == "enabled" {
		return found, nil
	}
	params := &stripe.WebhookEndpointParams{EnabledEvents: stripe.StringSlice(webhook.HandledTypes()), Disabled: stripe.Bool(false)}
	params.Context = ctx
	if _, err := a.api.WebhookEndpoints.Update(existing.ID, params); err != nil {
		return Endpoint{}, translate(err)
	}
	found.Action = "updated"
	return found, nil
}

// createEndpoint uses no idempotency key: with one made from the address, Stripe returns a deleted endpoint for a day.
func (a *account) createEndpoint(ctx context.Context, address string) (Endpoint, error) {
	params := &stripe.WebhookEndpointParams{
		URL: stripe.String(address), APIVersion: stripe.String(stripe.APIVersion), EnabledEvents: stripe.StringSlice(webhook.HandledTypes()),
		Description: stripe.String("Konbit"),
	}
	params.Context = ctx
	made, err := a.api.WebhookEndpoints.New(params)
	if err != nil {
		return Endpoint{}, translate(err)
	}
	return Endpoint{ID: made.ID, URL: made.URL, APIVersion: made.APIVersion, Events: webhook.HandledTypes(), Secret: made.Secret, Action: "created"}, nil
}

// CheckEndpoint reports what is wrong with the endpoint for address, as joined errors that each say what to do.
func (s *Stripe) CheckEndpoint(ctx context.Context, entitySlug, address string) error {
	a, err := s.account(entitySlug)
	if err != nil {
		return err
	}
	all, err := a.endpoints(ctx)
	if err != nil {
		return err
	}
	command := "konbit stripe endpoint --entity " + entitySlug
	var wrong []error
	found := false
	for _, e := range all {
		switch {
		case e.URL == address && !found:
			found = true
			wrong = append(wrong, webhook.CheckVersion(e), withFix(command, webhook.CheckEvents(e)))
			if e.Status != "enabled" {
				wrong = append(wrong, fmt.Errorf("%s is %s: %s", e.ID, e.Status, command))
			}
			if e.Livemode != a.keys.Live() {
				wrong = append(wrong, fmt.Errorf("%s is not of the key's mode (live or test)", e.ID))
			}
		case sameHost(e.URL, address) && e.Status == "enabled":
			wrong = append(wrong, fmt.Errorf("a second endpoint, %s, sends to this host as well, to %s: delete one of them in Stripe's dashboard", e.ID, e.URL))
		}
	}
	if !found {
		wrong = append(wrong, fmt.Errorf("none sends to %s: %s", address, command))
	}
	return errors.Join(wrong...)
}

// endpoints returns all endpoints. Stripe allows 16 per account, so one page holds them.
func (a *account) endpoints(ctx context.Context) (all []*stripe.WebhookEndpoint, err error) {
	params := &stripe.WebhookEndpointListParams{}
	params.Context, params.Single = ctx, true
	params.Limit = stripe.Int64(100)
	list := a.api.WebhookEndpoints.List(params)
	for list.Next() {
		all = append(all, list.WebhookEndpoint())
	}
	if err := list.Err(); err != nil {
		return nil, translate(err)
	}
	return all, nil
}

func withFix(command string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %s", err, command)
}

func sameHost(one, other string) bool {
	x, errX := url.Parse(one)
	y, errY := url.Parse(other)
	return errX == nil && errY == nil && strings.EqualFold(x.Host, y.Host)
}
