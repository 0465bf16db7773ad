package stripefake

import "slices"

// This file has the modes of Checkout other than one payment: subscription and setup (saving a card).

// checkMode checks the rules of the session's mode.
func (c *call) checkMode(items []any) error {
	mode := c.p.str("mode")
	only := map[string]string{"payment_intent_data": "payment", "submit_type": "payment", "subscription_data": "subscription",
		"setup_intent_data": "setup", "line_items": ""}
	for _, param := range []string{"payment_intent_data", "submit_type", "subscription_data", "setup_intent_data", "line_items"} {
		if right := only[param]; c.p.has(param) && right != mode && (right != "" || mode == "setup") {
			return invalid("", param, "You can not pass `"+param+"` in `"+mode+"` mode.")
		}
	}
	if mode == "subscription" && c.p.has("customer_creation") {
		return invalid("", "customer_creation", "`customer_creation` can only be used in `payment` and `setup` mode.")
	}
	if mode != "payment" && slices.Contains(c.p.list("payment_method_types"), "us_bank_account") {
		return invalid("", "payment_method_types", "The stand-in keeps cards alone for later.")
	}
	var every object
	for _, l := range items {
		price := l.(object).obj("price") // type made by readLines
		switch {
		case price["recurring"] == nil:
		case mode == "payment":
			return invalid("", "line_items", "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.")
		case every != nil && !sameInterval(every, price):
			return invalid("", "line_items", "Checkout does not support multiple prices with different billing intervals.")
		default:
			every = price
		}
	}
	if mode == "subscription" && every == nil {
		return invalid("", "line_items", "You must provide at least one recurring price in `subscription` mode when using prices.")
	}
	return nil
}

// futureData returns the first fields of the subscription or of the setup intent.
func (c *call) futureData() (object, error) {
	p := c.p.sub("subscription_data")
	if c.p.str("mode") == "setup" {
		p = c.p.sub("setup_intent_data")
	}
	metadata, err := p.metadata(nil)
	return object{"metadata": metadata, "description": p.text("description")}, err
}

// setMode sets the fields that only the session's mode has.
func (c *call) setMode(cs, later object) {
	if cs.str("mode") == "subscription" {
		cs["customer_creation"] = nil
		return
	}
	si := c.newSetupIntent(cs, later)
	cs["setup_intent"], cs["amount_subtotal"], cs["amount_total"], cs["payment_status"] = si["id"], nil, nil, "no_payment_required"
}

// subscribe completes a session whose first payment has succeeded. Stripe creates the subscription at the first
// attempt already; the stand-in creates only the payment intent if an attempt is declined.
func (t *transaction) subscribe(cs, pi, pm object, who payer) {
	inv := t.openSubscription(cs, pi, pm, who)
	ch := t.charge(cs, pi, pm, object{"status": "succeeded", "paid": true, "captured": true, "amount_captured": pi["amount"],
		"outcome": cardOutcome("approved_by_network", "authorized", nil, "Payment complete.")})
	inv["charge"], inv["attempt_count"] = ch["id"], int64(1)
	t.paid(inv)
	t.settled(pi, ch)
	t.complete(cs, "paid", who)
	if who.card.disputed {
		_, _ = t.openDispute(ch, disputeRequest{Reason: "fraudulent"}) // no error: a charge just made can be disputed
	}
}

// openSubscription creates the customer, saves the payment method, and creates the subscription and its first invoice,
// which it returns. A bank debit leaves the invoice open for days; the subscription is active meanwhile.
func (t *transaction) openSubscription(cs, pi, pm object, who payer) (invoice object) {
	customer := t.customerOf(cs, who)
	t.attach(pm, customer)
	pi["customer"] = customer
	recurring, once := []any{}, []any{}
	for _, l := range lines(t.a, cs) {
		if line := l.(object); line.obj("price")["recurring"] != nil { // type made by readLines
			recurring = append(recurring, line)
		} else {
			once = append(once, line)
		}
	}
	sub := t.newSubscription(customer, pm, cs.str("currency"), recurring, t.a.private(cs).obj("later"))
	cs["subscription"] = sub["id"]
	t.emit("customer.subscription.created", sub, nil)
	inv := t.draftInvoice(sub, "subscription_create", t.now, sub.num("current_period_end"), once)
	t.emit("invoice.created", inv, nil)
	inv["payment_intent"], pi["invoice"], cs["invoice"] = pi["id"], inv["id"], inv["id"]
	t.finalize(inv)
	pi["last_payment_error"] = nil
	return inv
}

// customerOf returns the session's customer. If the session names none, it creates one from the payer's name
// and email.
func (t *transaction) customerOf(cs object, who payer) string {
	if cs["customer"] == nil {
		email := or(cs.obj("customer_details").str("email"), who.email)
		cs["customer"] = t.newCustomer(object{"email": orNull(email), "name": orNull(who.name), "address": who.address()})["id"]
	}
	return cs.str("customer")
}

// newSetupIntent creates the setup intent of a session, which exists from the start.
func (t *transaction) newSetupIntent(cs, fields object) object {
	si := t.new("setup_intent", "seti_", object{
		"application": nil, "automatic_payment_methods": nil, "cancellation_reason": nil, "customer": cs["customer"], "flow_directions": nil,
		"last_setup_error": nil, "latest_attempt": nil, "mandate": nil, "next_action": nil, "on_behalf_of": nil, "payment_method": nil,
		"payment_method_configuration_details": nil, "payment_method_options": object{}, "payment_method_types": cs["payment_method_types"],
		"single_use_mandate": nil, "status": "requires_payment_method", "usage": "off_session",
	}.with(fields))
	si["client_secret"] = si.str("id") + "_secret_" + t.s.newID("", 25)
	t.emit("setup_intent.created", si, nil)
	return si
}

// confirmSetup checks a card without charging it.
func (t *transaction) confirmSetup(cs object, who payer) *apiError {
	si, pm := intentOf(t.a, cs), t.newPaymentMethod(who)
	switch {
	case who.card.decline != nil:
		t.setupFailed(si, pm, who.card.decline)
		return who.card.decline
	case who.card.authenticate:
		si["status"], si["payment_method"] = "requires_action", pm["id"]
		si["next_action"] = object{"type": "redirect_to_url", "redirect_to_url": object{"return_url": cs["url"], "url": cs.str("url") + "/authenticate"}}
		t.emit("setup_intent.requires_action", si, nil)
		return nil
	}
	t.completeSetup(cs, si, pm, who)
	return nil
}

// completeAuthentication applies the payer's answer to the bank.
func (t *transaction) completeAuthentication(cs, si, pm object, agreed bool) *apiError {
	if agreed {
		t.completeSetup(cs, si, pm, payer{name: pm.obj("billing_details").str("name")})
		return nil
	}
	why := &apiError{status: 402, kind: "card_error", code: "setup_intent_authentication_failure",
		message: "The latest attempt to set up the payment method has failed because authentication failed."}
	t.setupFailed(si, pm, why)
	return why
}

func (t *transaction) setupFailed(si, pm object, why *apiError) {
	last := why.body("")["error"].(object) // type made by body
	last["payment_method"] = pm
	delete(last, "request_log_url")
	si["status"], si["last_setup_error"], si["payment_method"], si["next_action"] = "requires_payment_method", last, nil, nil
	t.emit("setup_intent.setup_failed", si, nil)
}

// completeSetup completes a setup: the card is attached to the customer and not charged.
func (t *transaction) completeSetup(cs, si, pm object, who payer) {
	customer := cs.str("customer")
	if customer == "" && cs.str("customer_creation") == "always" {
		customer = t.customerOf(cs, who)
	}
	if customer != "" {
		t.attach(pm, customer)
	}
	si["status"], si["payment_method"], si["last_setup_error"], si["next_action"], si["customer"] = "succeeded", pm["id"], nil, nil, orNull(customer)
	t.emit("setup_intent.succeeded", si, nil)
	t.complete(cs, "no_payment_required", who)
}
