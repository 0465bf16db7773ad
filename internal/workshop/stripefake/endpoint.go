package stripefake

import (
	"net/url"
	"slices"
	"strings"
)

var endpointFields = []string{"url", "enabled_events.*", "description", "metadata.*"}

var accountRoutes = []route{
	{"GET /v1/account", nil, getAccount},
	{"POST /v1/webhook_endpoints", append([]string{"api_version", "connect"}, endpointFields...), createEndpoint},
	{"GET /v1/webhook_endpoints", listing(), listBy("webhook_endpoint")},
	{"GET /v1/webhook_endpoints/{id}", nil, getEndpoint},
	{"POST /v1/webhook_endpoints/{id}", append([]string{"disabled"}, endpointFields...), updateEndpoint},
	{"DELETE /v1/webhook_endpoints/{id}", nil, deleteEndpoint},
}

func getAccount(c *call) (any, error) {
	return object{
		"id": c.a.ID, "object": "account", "business_profile": object{"name": or(c.a.Title, c.a.Name), "url": nil, "support_email": nil},
		"business_type": "non_profit",
		"capabilities":  object{"card_payments": "active", "transfers": "active"}, "charges_enabled": true, "country": "US",
		"created": int64(0), "default_currency": "usd", "details_submitted": true, "email": c.a.Name + "@stand-in.example", "metadata": object{},
		"payouts_enabled": true, "settings": object{
			"dashboard": object{"display_name": or(c.a.Title, c.a.Name), "timezone": "America/New_York"},
			"payments":  object{"statement_descriptor": strings.ToUpper(c.a.Name)},
			"payouts":   object{"schedule": object{"delay_days": int64(2), "interval": "daily"}, "debit_negative_balances": true},
		}, "type": "standard",
	}, nil
}

// configure applies the configuration to an account, including its one configured endpoint. Endpoints created
// by API do not change.
func (s *Server) configure(a *account, with Account) {
	a.Title, a.WebhookURL, a.WebhookSecrets, a.Bank = with.Title, with.WebhookURL, with.WebhookSecrets, with.Bank
	if with.WebhookURL == "" {
		return
	}
	i := slices.IndexFunc(a.endpoints(), func(o object) bool { return o.str("description") == configured })
	var o object
	if i >= 0 {
		o = a.endpoints()[i]
	} else {
		o = s.newTransaction(a).newEndpoint(object{"description": configured, "enabled_events": []any{"*"}})
	}
	o["url"] = with.WebhookURL
	a.Secrets[o.str("id")] = with.WebhookSecrets
	s.dirty = true
}

const configured = "configured"

func (t *transaction) newEndpoint(fields object) object {
	return t.new("webhook_endpoint", "we_", object{"api_version": APIVersion, "application": nil, "description": nil, "status": "enabled"}.with(fields))
}

func createEndpoint(c *call) (any, error) {
	fields, err := c.endpointFields(nil)
	switch {
	case err != nil:
		return nil, err
	case !c.p.has("url"):
		return nil, missing("url")
	case len(c.p.list("enabled_events")) == 0:
		return nil, missing("enabled_events")
	}
	// An endpoint without a version has the account's default version, which is APIVersion here.
	o := c.newEndpoint(fields.with(object{"api_version": c.p.text("api_version")}))
	secret := "whsec_" + c.s.newID("", 32)
	c.a.Secrets[o.str("id")] = []string{secret}
	return o.with(object{"secret": secret}), nil // the API shows the secret only in this answer
}

func (c *call) endpointFields(old object) (object, error) {
	metadata, err := c.p.metadata(old.obj("metadata"))
	if err != nil {
		return nil, err
	}
	fields := object{"metadata": metadata}
	if c.p.has("url") {
		u, err := url.Parse(c.p.str("url"))
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return nil, invalid("url_invalid", "url", "Invalid URL: An explicit scheme (such as https) must be provided.")
		}
		fields["url"] = c.p.str("url")
	}
	if c.p.has("enabled_events") {
		fields["enabled_events"] = c.p.strings("enabled_events")
	}
	if c.p.has("description") {
		fields["description"] = c.p.text("description")
	}
	return fields, nil
}

func (c *call) endpoint() (object, error) {
	o := c.a.get("webhook_endpoint", c.id())
	if o == nil || o.flag("deleted") {
		return nil, noSuch("webhook endpoint", c.id(), "id")
	}
	return o, nil
}

func getEndpoint(c *call) (any, error) {
	o, err := c.endpoint()
	if err != nil {
		return nil, err
	}
	return o, nil
}

func updateEndpoint(c *call) (any, error) {
	o, err := c.endpoint()
	if err != nil {
		return nil, err
	}
	fields, err := c.endpointFields(o)
	if err != nil {
		return nil, err
	}
	for key, value := range fields {
		o[key] = value
	}
	if c.p.has("disabled") {
		o["status"] = map[bool]string{true: "disabled", false: "enabled"}[c.p.flag("disabled")]
	}
	return o, nil
}

func deleteEndpoint(c *call) (any, error) {
	o, err := c.endpoint()
	if err != nil {
		return nil, err
	}
	o["deleted"] = true
	delete(c.a.Secrets, c.id())
	return object{"id": c.id(), "object": "webhook_endpoint", "deleted": true}, nil
}
