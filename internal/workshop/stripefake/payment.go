package stripefake

import "strings"

var paymentRoutes = []route{
	{"POST /v1/payment_intents", []string{"amount", "currency", "customer", "payment_method", "payment_method_types.*", "confirm", "off_session",
		"metadata.*", "description"}, confirmIntent},
	{"GET /v1/payment_intents", listing("customer"), listBy("payment_intent", "customer")},
	{"GET /v1/payment_intents/search", []string{"query", "limit", "page"}, search("payment_intent")},
	{"GET /v1/payment_intents/{id}", nil, retrieve("payment_intent", "payment_intent")},
	{"GET /v1/charges", listing("payment_intent", "customer"), listBy("charge", "payment_intent", "customer")},
	{"GET /v1/charges/search", []string{"query", "limit", "page"}, search("charge")},
	{"GET /v1/charges/{id}", nil, retrieve("charge", "charge")},
}

// debitDelay is the time until a bank debit settles, in seconds of the stand-in's clock.
const debitDelay = 4 * 24 * 60 * 60

// attempt tries to pay a session and emits the events. It returns nil if the session is paid, processing, or
// waits for the payer's authentication; the intent's status says which.
func (t *transaction) attempt(cs object, who payer) *apiError {
	if cs.str("mode") == "setup" {
		return t.confirmSetup(cs, who)
	}
	pi := t.intentFor(cs)
	pm := t.newPaymentMethod(who)
	pi["payment_method"], pi["last_payment_error"] = pm["id"], nil
	switch {
	case who.card.decline != nil:
		t.refuse(pi, pm, who.card.decline)
		return who.card.decline
	case who.card.authenticate:
		pi["status"] = "requires_action"
		pi["next_action"] = object{"type": "redirect_to_url", "redirect_to_url": object{"return_url": cs["url"], "url": cs.str("url") + "/authenticate"}}
		t.emit("payment_intent.requires_action", pi, nil)
	case who.method == "us_bank_account":
		t.debit(cs, pi, pm, who)
	default:
		t.collect(cs, pi, pm, who)
	}
	return nil
}

// intentFor returns the session's payment intent. It creates it at the first attempt, as Stripe does since
// 2022-08-01.
func (t *transaction) intentFor(cs object) object {
	if pi := intentOf(t.a, cs); pi != nil {
		return pi
	}
	pi := t.newIntent(cs, t.a.private(cs).obj("intent"))
	if cs.str("mode") == "payment" {
		cs["payment_intent"] = pi["id"]
	} else {
		t.a.private(cs)["payment_intent"] = pi["id"] // becomes the intent of the first invoice; the session never shows it
	}
	return pi
}

// intentOf returns the present intent of a session's page; nil before the first attempt.
func intentOf(a *account, cs object) object {
	if cs.str("mode") == "setup" {
		return a.get("setup_intent", cs.str("setup_intent"))
	}
	return a.get("payment_intent", or(cs.str("payment_intent"), a.private(cs).str("payment_intent")))
}

// newIntent creates a payment intent over a session's amount_total. fields replace the defaults.
func (t *transaction) newIntent(cs, fields object) object {
	pi := t.new("payment_intent", "pi_", object{
		"amount": cs["amount_total"], "amount_capturable": int64(0), "amount_details": object{"tip": object{}}, "amount_received": int64(0),
		"application": nil, "application_fee_amount": nil, "automatic_payment_methods": nil, "canceled_at": nil,
		"cancellation_reason": nil, "capture_method": "automatic", "confirmation_method": "automatic",
		"currency": cs["currency"], "customer": cs["customer"], "invoice": nil, "last_payment_error": nil,
		"latest_charge": nil, "next_action": nil, "on_behalf_of": nil, "payment_method": nil,
		"payment_method_configuration_details": nil, "payment_method_options": object{}, "payment_method_types": cs["payment_method_types"],
		"processing": nil, "review": nil, "shipping": nil, "source": nil, "status": "requires_payment_method",
		"transfer_data": nil, "transfer_group": nil,
	}.with(fields))
	pi["client_secret"] = pi.str("id") + "_secret_" + t.s.newID("", 25)
	t.emit("payment_intent.created", pi, nil)
	return pi
}

// collect charges the payment method at once and completes the session.
func (t *transaction) collect(cs, pi, pm object, who payer) {
	if cs.str("mode") == "subscription" {
		t.subscribe(cs, pi, pm, who)
		return
	}
	ch := t.charge(cs, pi, pm, object{"status": "succeeded", "paid": true, "captured": true, "amount_captured": pi["amount"],
		"outcome": cardOutcome("approved_by_network", "authorized", nil, "Payment complete.")})
	t.settled(pi, ch)
	t.complete(cs, "paid", who)
	if who.card.disputed {
		_, _ = t.openDispute(ch, disputeRequest{Reason: "fraudulent"}) // no error: a charge just made can be disputed
	}
}

// settled creates the balance transaction of a successful charge and emits its events.
func (t *transaction) settled(pi, ch object) {
	if ch["balance_transaction"] == nil {
		t.bookCharge(ch)
	}
	pi["status"], pi["amount_received"], pi["latest_charge"], pi["next_action"], pi["processing"] = "succeeded", pi["amount"], ch["id"], nil, nil
	t.emit("charge.succeeded", ch, nil)
	t.emit("payment_intent.succeeded", pi, nil)
}

// bookCharge creates the balance transaction of a charge: for a card when the charge succeeds, for a bank
// debit when it starts (https://docs.stripe.com/reports/balance-transaction-types).
func (t *transaction) bookCharge(ch object) {
	kind, fee, days := "charge", t.s.opts.Fee.of(ch.num("amount")), int64(2)
	if strings.HasPrefix(ch.str("id"), "py_") {
		kind, fee, days = "payment", debitFee(ch.num("amount")), 6
	}
	bt := t.addBalanceEntry(balanceEntry{kind: kind, category: "charge", amount: ch.num("amount"), fee: fee, feeText: "Stripe processing fees",
		currency: ch.str("currency"), source: ch.str("id"), text: ch["description"], available: daysLater(t.now, days)})
	ch["balance_transaction"] = bt["id"]
}

// refuse records a declined attempt: a failed charge, and an intent that requires another payment method.
func (t *transaction) refuse(pi, pm object, why *apiError) {
	reason := or(why.declineCode, why.code)
	ch := t.charge(nil, pi, pm, object{"status": "failed", "failure_code": why.code, "failure_message": why.message,
		"outcome": cardOutcome("declined_by_network", "issuer_declined", reason, "The bank returned the decline code `"+reason+"`.")})
	why = why.withCharge(ch)
	last := why.body("")["error"].(object) // type made by body
	last["payment_method"] = pm
	delete(last, "request_log_url")
	pi["status"], pi["latest_charge"], pi["last_payment_error"], pi["payment_method"], pi["next_action"] = "requires_payment_method", ch["id"], last, nil, nil
	t.emit("charge.failed", ch, nil)
	t.emit("payment_intent.payment_failed", pi, nil)
}

func (e *apiError) withCharge(ch object) *apiError {
	named := *e
	named.charge = ch.str("id")
	return &named
}

// authenticated applies the payer's answer to the bank. A refusal creates no charge.
func (t *transaction) authenticated(cs object, agreed bool) *apiError {
	pi := intentOf(t.a, cs)
	if pi == nil || pi.str("status") != "requires_action" {
		return nil
	}
	pm := t.a.get("payment_method", pi.str("payment_method"))
	if pi.str("object") == "setup_intent" {
		return t.completeAuthentication(cs, pi, pm, agreed)
	}
	if agreed {
		t.collect(cs, pi, pm, payer{name: pm.obj("billing_details").str("name")})
		return nil
	}
	why := &apiError{status: 402, kind: "card_error", code: "payment_intent_authentication_failure",
		message: "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new " +
			"PaymentMethod to attempt to fulfill this PaymentIntent again."}
	last := why.body("")["error"].(object) // type made by body
	last["payment_method"] = pm
	delete(last, "request_log_url")
	pi["status"], pi["last_payment_error"], pi["payment_method"], pi["next_action"] = "requires_payment_method", last, nil, nil
	t.emit("payment_intent.payment_failed", pi, nil)
	return why
}

// debit starts a bank debit, which the clock settles.
func (t *transaction) debit(cs, pi, pm object, who payer) {
	var inv object
	if cs.str("mode") == "subscription" {
		inv = t.openSubscription(cs, pi, pm, who)
	}
	ch := t.charge(cs, pi, pm, object{"status": "pending", "captured": true, "amount_captured": pi["amount"],
		"outcome": cardOutcome("approved_by_network", "authorized", nil, "Payment complete.")})
	t.bookCharge(ch)
	pi["status"], pi["latest_charge"] = "processing", ch["id"]
	if inv != nil {
		inv["charge"], inv["attempt_count"] = ch["id"], int64(1)
	}
	t.emit("charge.pending", ch, nil)
	t.emit("payment_intent.processing", pi, nil)
	t.complete(cs, "unpaid", who)
	what := "settle"
	if who.bounces {
		what = "bounce"
	}
	t.schedule(t.now+debitDelay, what, ch.str("id"))
}

// settle makes a bank debit succeed.
func (t *transaction) settle(ch object) {
	ch["status"], ch["paid"] = "succeeded", true
	pi := t.a.get("payment_intent", ch.str("payment_intent"))
	t.settled(pi, ch)
	for _, cs := range t.sessionsOf(pi) {
		cs["payment_status"] = "paid"
		t.emit("checkout.session.async_payment_succeeded", cs, nil)
	}
	t.debitCompleted(ch)
}

// bounce makes a bank debit fail.
func (t *transaction) bounce(ch object) {
	ch["status"], ch["failure_code"], ch["failure_message"] = "failed", "insufficient_funds",
		"The customer's account has insufficient funds to cover this payment."
	if code := t.a.hidden(ch).str("fail"); code != "" {
		ch["failure_code"], ch["failure_message"] = code, "The bank returned the code `"+code+"`."
	}
	bt := t.addBalanceEntry(balanceEntry{kind: "payment_failure_refund", category: "charge_failure", amount: -ch.num("amount"),
		fee:     -debitFee(ch.num("amount")),
		feeText: "Stripe processing fees", currency: ch.str("currency"), source: ch.str("id"), text: ch["description"], available: daysLater(t.now, 2)})
	ch["failure_balance_transaction"] = bt["id"]
	pi := t.a.get("payment_intent", ch.str("payment_intent"))
	pi["status"], pi["payment_method"] = "requires_payment_method", nil
	pi["last_payment_error"] = object{"type": "invalid_request_error", "code": ch["failure_code"], "message": ch["failure_message"], "charge": ch["id"]}
	t.emit("charge.failed", ch, nil)
	t.emit("payment_intent.payment_failed", pi, nil)
	for _, cs := range t.sessionsOf(pi) {
		t.emit("checkout.session.async_payment_failed", cs, nil)
	}
	t.debitCompleted(ch)
}

// sessionsOf returns the sessions that a payment intent pays: directly, or by the first invoice of a subscription.
func (t *transaction) sessionsOf(pi object) []object {
	if invoice := pi.str("invoice"); invoice != "" {
		return t.a.where("checkout.session", "invoice", invoice)
	}
	return t.a.where("checkout.session", "payment_intent", pi.str("id"))
}
