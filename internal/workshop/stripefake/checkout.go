package stripefake

import (
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
)

// Limits of docs.stripe.com/api/checkout/sessions/create.
const (
	minSessionLife = 30 * 60
	maxSessionLife = 24 * 60 * 60
	clockSlack     = 60 // allowed difference between the caller's clock and the stand-in's
	maxReference   = 200
	maxCustomText  = 1200
	maxSuffix      = 22
	maxAmount      = 99_999_999
)

// minimumAmount holds the minimum total of a session in minor units; a currency that is not listed has 50.
var minimumAmount = map[string]int64{"gbp": 30, "mxn": 1000, "jpy": 50, "sek": 300, "nok": 300, "dkk": 250, "chf": 50, "hkd": 400, "pln": 200, "czk": 1500}

// checkoutLocales are the languages of Stripe's page. Haitian Creole is not among them.
var checkoutLocales = strings.Fields("auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt " +
	"lv ms mt nb nl pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW")

var checkoutRoutes = []route{
	{"POST /v1/checkout/sessions", []string{
		"subscription_data.metadata.*", "subscription_data.description", "setup_intent_data.metadata.*", "setup_intent_data.description",
		"line_items.*.price_data.recurring.interval", "line_items.*.price_data.recurring.interval_count",
		"mode", "success_url", "cancel_url", "client_reference_id", "customer", "customer_email", "customer_creation",
		"currency", "expires_at", "locale", "metadata.*", "submit_type", "ui_mode", "billing_address_collection",
		"payment_method_types.*", "custom_text.submit.message", "custom_text.after_submit.message",
		"line_items.*.quantity", "line_items.*.price_data.currency", "line_items.*.price_data.unit_amount",
		"line_items.*.price_data.product_data.name", "line_items.*.price_data.product_data.description",
		"line_items.*.price_data.product_data.metadata.*",
		"payment_intent_data.metadata.*", "payment_intent_data.description", "payment_intent_data.receipt_email",
		"payment_intent_data.statement_descriptor", "payment_intent_data.statement_descriptor_suffix",
		"payment_intent_data.setup_future_usage",
	}, createSession},
	{"GET /v1/checkout/sessions", listing("payment_intent", "customer", "subscription", "status", "customer_details.email"), listSessions},
	{"GET /v1/checkout/sessions/{id}", nil, retrieve("checkout.session", "checkout.session")},
	{"GET /v1/checkout/sessions/{id}/line_items", listing(), listLines},
	{"POST /v1/checkout/sessions/{id}/expire", nil, expireSession},
}

func createSession(c *call) (any, error) {
	if err := c.checkSession(); err != nil {
		return nil, err
	}
	items, total, currency, err := c.readLines()
	if err == nil {
		err = c.checkMode(items)
	}
	if err != nil {
		return nil, err
	}
	expires, err := c.expiry()
	if err != nil {
		return nil, err
	}
	metadata, err := c.p.metadata(nil)
	if err != nil {
		return nil, err
	}
	intent, err := c.intentData()
	if err != nil {
		return nil, err
	}
	later, err := c.futureData()
	if err != nil {
		return nil, err
	}
	mode := c.p.str("mode")
	methods := c.p.strings("payment_method_types")
	if len(methods) == 0 {
		methods = []any{"card"}
		if currency == "usd" && mode == "payment" {
			methods = append(methods, "us_bank_account")
		}
	}
	id := c.s.newID("cs_test_", 58)
	cs := c.a.put(object{
		"id": id, "object": "checkout.session", "created": c.now, "livemode": false, "metadata": metadata,
		"after_expiration": nil, "allow_promotion_codes": nil, "amount_subtotal": total, "amount_total": total,
		"automatic_tax":              object{"enabled": false, "liability": nil, "status": nil},
		"billing_address_collection": c.p.text("billing_address_collection"), "cancel_url": c.p.text("cancel_url"),
		"client_reference_id": c.p.text("client_reference_id"), "client_secret": nil, "consent": nil, "consent_collection": nil,
		"currency": orNull(currency), "currency_conversion": nil, "custom_fields": []any{}, "custom_text": c.customText(),
		"customer": c.p.text("customer"), "customer_creation": or(c.p.str("customer_creation"), "if_required"),
		"customer_details": c.customerDetails(), "customer_email": c.p.text("customer_email"), "expires_at": expires,
		"invoice": nil, "invoice_creation": object{"enabled": false, "invoice_data": object{"metadata": object{}}},
		"locale": c.p.text("locale"), "mode": mode, "payment_intent": nil, "payment_link": nil,
		"payment_method_collection": "if_required", "payment_method_configuration_details": nil,
		"payment_method_options": object{}, "payment_method_types": methods, "payment_status": "unpaid",
		"phone_number_collection": object{"enabled": false}, "recovered_from": nil, "setup_intent": nil,
		"shipping_address_collection": nil, "shipping_cost": nil, "shipping_details": nil, "shipping_options": []any{},
		"status": "open", "submit_type": c.p.text("submit_type"), "subscription": nil, "success_url": c.p.str("success_url"),
		"total_details": object{"amount_discount": int64(0), "amount_shipping": int64(0), "amount_tax": int64(0)},
		"ui_mode":       "hosted", "url": c.pageURL(id),
	})
	c.a.put(object{"object": "checkout.session.private", "id": "private_" + id, "lines": items, "intent": intent, "later": later})
	if mode != "payment" {
		c.setMode(cs, later)
	}
	c.schedule(expires, "expire", id)
	return cs, nil
}

// private returns the data of a session that the API does not show: its lines and the data of its payment
// intent.
func (a *account) private(cs object) object {
	return a.get("checkout.session.private", "private_"+cs.str("id"))
}

func lines(a *account, cs object) []any {
	items, _ := a.private(cs)["lines"].([]any)
	return items
}

// checkSession checks the rules that concern single parameters.
func (c *call) checkSession() error {
	if !slices.Contains([]string{"payment", "subscription", "setup"}, c.p.str("mode")) {
		return invalid("", "mode", "Invalid mode: must be one of payment, setup, or subscription")
	}
	if c.p.str("success_url") == "" {
		return missing("success_url")
	}
	for _, param := range []string{"success_url", "cancel_url"} {
		u, err := url.Parse(c.p.str(param))
		if c.p.has(param) && (err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http")) {
			return invalid("url_invalid", param, "Not a valid URL")
		}
	}
	if c.p.has("customer") && c.p.has("customer_email") {
		return invalid("", "customer", "You may only specify one of these parameters: customer, customer_email.")
	}
	if id := c.p.str("customer"); id != "" {
		if o := c.a.get("customer", id); o == nil || o.flag("deleted") {
			return noSuch("customer", id, "customer")
		}
	}
	if email := c.p.str("customer_email"); email != "" && !validEmail(email) {
		return invalid("email_invalid", "customer_email", "Invalid email address: "+email)
	}
	if l := c.p.str("locale"); l != "" && !slices.Contains(checkoutLocales, l) {
		return invalid("", "locale", "Invalid locale: must be one of "+strings.Join(checkoutLocales, ", "))
	}
	if len(c.p.str("client_reference_id")) > maxReference {
		return invalid("parameter_invalid_string", "client_reference_id", fmt.Sprintf("Invalid string: must be at most %d characters", maxReference))
	}
	for _, where := range []string{"submit", "after_submit"} {
		if len([]rune(c.p.sub("custom_text").sub(where).str("message"))) > maxCustomText {
			return invalid("parameter_invalid_string", "custom_text["+where+"][message]",
				fmt.Sprintf("Invalid string: must be at most %d characters", maxCustomText))
		}
	}
	return nil
}

// expiry reads expires_at: 30 minutes to 24 hours ahead; 24 hours if it is not given.
func (c *call) expiry() (int64, error) {
	at, given, err := c.p.int("expires_at")
	switch {
	case err != nil:
		return 0, err
	case !given:
		return c.now + maxSessionLife, nil
	case at < c.now+minSessionLife-clockSlack:
		return 0, invalid("", "expires_at", "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.")
	case at > c.now+maxSessionLife+clockSlack:
		return 0, invalid("", "expires_at", "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.")
	}
	return at, nil
}

// intentData reads payment_intent_data: the first fields of the payment intent.
func (c *call) intentData() (object, error) {
	p := c.p.sub("payment_intent_data")
	metadata, err := p.metadata(nil)
	if err != nil {
		return nil, err
	}
	suffix := p.str("statement_descriptor_suffix")
	if len(suffix) > maxSuffix || strings.ContainsAny(suffix, `<>\'"*`) {
		return nil, invalid("", "payment_intent_data[statement_descriptor_suffix]",
			"The statement descriptor suffix has at most 22 characters and none of < > \\ ' \" *.")
	}
	if email := p.str("receipt_email"); email != "" && !validEmail(email) {
		return nil, invalid("email_invalid", "payment_intent_data[receipt_email]", "Invalid email address: "+email)
	}
	if c.p.str("mode") == "subscription" {
		return object{"metadata": object{}, "description": "Subscription creation", "receipt_email": nil, "statement_descriptor": nil,
			"statement_descriptor_suffix": nil, "setup_future_usage": "off_session"}, nil
	}
	return object{
		"metadata": metadata, "description": p.text("description"), "receipt_email": p.text("receipt_email"),
		"statement_descriptor": p.text("statement_descriptor"), "statement_descriptor_suffix": orNull(suffix),
		"setup_future_usage": p.text("setup_future_usage"),
	}, nil
}

func (c *call) customText() object {
	text := object{"after_submit": nil, "shipping_address": nil, "submit": nil, "terms_of_service_acceptance": nil}
	for _, where := range []string{"submit", "after_submit"} {
		if m := c.p.sub("custom_text").sub(where).str("message"); m != "" {
			text[where] = object{"message": m}
		}
	}
	return text
}

// customerDetails returns what the request says about the payer; nil if it says nothing.
func (c *call) customerDetails() any {
	email := c.p.str("customer_email")
	if o := c.a.get("customer", c.p.str("customer")); o != nil {
		email = o.str("email")
	}
	if email == "" {
		return nil
	}
	return object{"address": nil, "email": email, "name": nil, "phone": nil, "tax_exempt": "none", "tax_ids": nil}
}

// validEmail reports whether Stripe takes an address. It also refuses some that a mail server might take: here those
// whose domain ends by digits.
func validEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	last := s[strings.LastIndexByte(s, '.')+1:]
	return err == nil && a.Address == s && strings.Trim(last, "0123456789") != ""
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
