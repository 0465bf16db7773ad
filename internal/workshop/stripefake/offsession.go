package stripefake

// confirmIntent charges a saved method while the payer is absent: it creates and confirms a payment intent in
// one call (docs.stripe.com/payments/save-and-reuse). A decline is the error of the call; the intent stays
// and can be paid with another method.
func confirmIntent(c *call) (any, error) {
	customer, err := c.customer(c.p.str("customer"), "customer")
	if err != nil {
		return nil, err
	}
	amount, given, err := c.p.int("amount")
	metadata, bad := c.p.metadata(nil)
	switch {
	case err != nil:
		return nil, err
	case bad != nil:
		return nil, bad
	case !given || amount < 1 || amount > maxAmount:
		return nil, invalid("parameter_invalid_integer", "amount", "This value must be from 1 to 99999999.")
	case len(c.p.str("currency")) != 3:
		return nil, missing("currency")
	case !c.p.flag("confirm") || !c.p.flag("off_session"):
		return nil, invalid("", "confirm", "The stand-in makes payment intents that are confirmed at once and off session; all others are its pages'.")
	}
	pm, err := c.ownMethod(c.p.str("payment_method"), customer.str("id"), "payment_method")
	if err != nil {
		return nil, err
	}
	types := c.p.strings("payment_method_types")
	if len(types) != 1 || types[0] != pm.str("type") {
		return nil, invalid("", "payment_method_types", "The PaymentMethod provided ("+pm.str("type")+") is not allowed for this PaymentIntent.")
	}
	pi := c.newIntent(object{"amount_total": amount, "currency": c.p.str("currency"), "customer": customer["id"], "payment_method_types": types},
		object{"metadata": metadata, "description": c.p.text("description"), "receipt_email": nil, "statement_descriptor": nil,
			"statement_descriptor_suffix": nil, "setup_future_usage": nil})
	why := c.outcomeFor(pm)
	switch {
	case pm.str("type") == "us_bank_account":
		c.debitLater(pi, pm, why)
		return pi, nil
	case why != nil:
		c.refuse(pi, pm, why)
		return nil, why
	}
	pi["payment_method"] = pm["id"]
	ch := c.charge(nil, pi, pm, object{"status": "succeeded", "paid": true, "captured": true, "amount_captured": pi["amount"],
		"outcome": cardOutcome("approved_by_network", "authorized", nil, "Payment complete.")})
	c.settled(pi, ch)
	return pi, nil
}

// debitLater starts a bank debit while the payer is absent. The bank answers days later: why is its decline,
// nil if it pays.
func (t *transaction) debitLater(pi, pm object, why *apiError) {
	ch := t.charge(nil, pi, pm, object{"status": "pending", "captured": true, "amount_captured": pi["amount"],
		"outcome": cardOutcome("approved_by_network", "authorized", nil, "Payment complete.")})
	t.bookCharge(ch)
	pi["status"], pi["latest_charge"], pi["payment_method"], pi["last_payment_error"] = "processing", ch["id"], pm["id"], nil
	t.emit("charge.pending", ch, nil)
	t.emit("payment_intent.processing", pi, nil)
	what := "settle"
	if why != nil {
		what = "bounce"
		t.a.hidden(ch)["fail"] = or(why.declineCode, why.code)
	}
	t.schedule(t.now+debitDelay, what, ch.str("id"))
}

// debitCompleted ends the payment attempt of an invoice that was charged by bank debit.
func (t *transaction) debitCompleted(ch object) {
	inv := t.a.get("invoice", ch.str("invoice"))
	if inv == nil {
		return
	}
	inv["charge"] = ch["id"]
	if ch.str("status") == "succeeded" {
		t.paid(inv)
		return
	}
	t.a.hidden(inv)["decline"] = ch["failure_code"]
	t.setStatus(t.a.get("subscription", inv.str("subscription")), "past_due")
	t.scheduleRetry(inv, false)
}
