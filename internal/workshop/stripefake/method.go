package stripefake

import (
	"slices"
	"strings"
	"time"
)

var methodRoutes = []route{
	{"GET /v1/payment_methods/{id}", nil, retrieve("payment_method", "PaymentMethod")},
	{"GET /v1/payment_methods", listing("customer", "type"), listMethods},
	{"GET /v1/customers/{id}/payment_methods", listing("type"), listMethods},
	{"GET /v1/customers/{id}/payment_methods/{method}", nil, customersMethod},
	{"POST /v1/payment_methods/{id}/attach", []string{"customer"}, attachMethod},
	{"POST /v1/payment_methods/{id}/detach", nil, detachMethod},
	{"GET /v1/setup_intents", listing("customer", "payment_method"), listBy("setup_intent", "customer", "payment_method")},
	{"GET /v1/setup_intents/{id}", nil, retrieve("setup_intent", "setupintent")},
}

// listMethods lists a customer's payment methods. Without a customer the list is empty, as at Stripe.
func listMethods(c *call) (any, error) {
	customer := or(c.id(), c.p.str("customer"))
	return c.page("payment_method", func(o object) bool {
		return customer != "" && o.str("customer") == customer && (!c.p.has("type") || o.str("type") == c.p.str("type"))
	})
}

func customersMethod(c *call) (any, error) {
	pm := c.a.get("payment_method", c.r.PathValue("method"))
	if pm == nil || pm.str("customer") != c.id() {
		return nil, noSuch("PaymentMethod", c.r.PathValue("method"), "id")
	}
	return pm, nil
}

func attachMethod(c *call) (any, error) {
	pm, err := c.must("payment_method", "PaymentMethod", c.id(), "id")
	if err != nil {
		return nil, err
	}
	customer, err := c.customer(c.p.str("customer"), "customer")
	switch {
	case err != nil:
		return nil, err
	case pm["customer"] != nil && pm.str("customer") != customer.str("id"):
		return nil, invalid("", "", "The payment method you provided has already been attached to a customer.")
	case pm["customer"] == nil && c.a.hidden(pm).flag("used"):
		return nil, invalid("", "", "The provided PaymentMethod was previously used with a PaymentIntent without "+
			"Customer attachment, shared with a connected account without Customer attachment, or was detached from "+
			"a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.")
	}
	c.attach(pm, customer.str("id"))
	return pm, nil
}

// attach saves a payment method for later charges of a customer. It does not make it the default.
func (t *transaction) attach(pm object, customer string) {
	if pm.str("customer") != customer {
		pm["customer"] = customer
		t.emit("payment_method.attached", pm, nil)
	}
}

// detachMethod removes a payment method from its customer and from the subscriptions that would charge it.
func detachMethod(c *call) (any, error) {
	pm, err := c.must("payment_method", "PaymentMethod", c.id(), "id")
	if err != nil {
		return nil, err
	}
	customer := c.a.get("customer", pm.str("customer"))
	if customer == nil {
		return nil, invalid("", "", "The payment method you provided is not attached to a customer so detachment is impossible.")
	}
	if customer.obj("invoice_settings").str("default_payment_method") == c.id() {
		customer["invoice_settings"] = customer.obj("invoice_settings").with(object{"default_payment_method": nil})
	}
	for _, sub := range c.a.where("subscription", "default_payment_method", c.id()) {
		sub["default_payment_method"] = nil
	}
	pm["customer"], c.a.hidden(pm)["used"] = nil, true
	c.emit("payment_method.detached", pm, object{"customer": customer["id"]})
	return pm, nil
}

// customer returns a customer that is not deleted.
func (c *call) customer(id, param string) (object, error) {
	if id == "" {
		return nil, missing(param)
	}
	o := c.a.get("customer", id)
	if o == nil || o.flag("deleted") {
		return nil, noSuch("customer", id, param)
	}
	return o, nil
}

// ownMethod returns a payment method of this customer.
func (c *call) ownMethod(id, customer, param string) (object, error) {
	pm := c.a.get("payment_method", id)
	switch {
	case pm == nil:
		return nil, noSuch("PaymentMethod", id, param)
	case pm.str("customer") != customer:
		return nil, invalid("", param, "The customer does not have a payment method with the ID "+id+". The payment method must be attached to the customer.")
	}
	return pm, nil
}

// hidden returns what the stand-in stores about an object and the API does not show: a method's number and
// planned failures, a subscription's next phase, an invoice's attempts. It creates the entry at the first
// call.
func (a *account) hidden(o object) object {
	kind, id := o.str("object")+".hidden", "hidden_"+o.str("id")
	if h := a.get(kind, id); h != nil {
		return h
	}
	return a.put(object{"object": kind, "id": id})
}

// outcomeFor returns the bank's answer to a charge of a saved payment method; nil if the charge succeeds.
func (t *transaction) outcomeFor(pm object) *apiError {
	h := t.a.hidden(pm)
	card, now := testCards[h.str("number")], time.Unix(t.now, 0).UTC()
	year, month := pm.obj("card").num("exp_year"), pm.obj("card").num("exp_month")
	switch {
	case h.str("fail") != "":
		if h.num("fail_times") > 0 {
			if h["fail_times"] = h.num("fail_times") - 1; h.num("fail_times") == 0 {
				defer delete(h, "fail")
			}
		}
		return refusal(h.str("fail"))
	case pm.str("type") == "card" && (year < int64(now.Year()) || year == int64(now.Year()) && month < int64(now.Month())):
		return refusal("expired_card")
	case card.laterFails:
		return refusal("generic_decline")
	case card.alwaysAsks:
		return refusal("authentication_required")
	}
	return card.decline
}

// ownCodes are the declines with an error code of their own. All others have the code card_declined and a
// decline code.
var ownCodes = []string{"expired_card", "incorrect_cvc", "incorrect_number", "processing_error", "authentication_required"}

// refusal returns a decline as the API shows it (docs.stripe.com/declines/codes).
func refusal(reason string) *apiError {
	message := "Your card was declined."
	switch reason {
	case "expired_card":
		message = "Your card has expired."
	case "insufficient_funds":
		message = "Your card has insufficient funds."
	case "authentication_required":
		message = "Your card was declined. This transaction requires authentication."
	}
	if slices.Contains(ownCodes, reason) {
		return declined(reason, reason, message)
	}
	return declined("card_declined", reason, message)
}

// hardDeclines are the declines after which Stripe does not retry the same card
// (docs.stripe.com/billing/revenue-recovery/smart-retries).
var hardDeclines = strings.Fields("incorrect_number lost_card pickup_card stolen_card revocation_of_authorization " +
	"revocation_of_all_authorizations authentication_required highest_risk_level transaction_not_allowed")
