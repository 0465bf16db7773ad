package stripefake

import (
	"fmt"
	"slices"
)

// The invoice of a renewal is a draft for an hour, then it is finalized and its payment is attempted. A
// failed attempt is retried a number of days after the attempt before. Stripe chooses the moments itself; the
// stand-in makes four attempts in three weeks.
const finalizeAfter = 60 * 60

var retryAfter = []int64{3 * day, 7 * day, 11 * day}

//	draft ─1 h─▶ open ─paid─▶ paid
//	               └─declined─▶ open, tried again ─▶ paid │ left open, and the subscription canceled (AfterRetries)
//	draft, paused: stays a draft │ void │ uncollectible

// finalizeDue finalizes a draft one hour after its creation, unless auto_advance was switched off.
func (t *transaction) finalizeDue(inv object) {
	if inv.str("status") == "draft" && inv.flag("auto_advance") && inv.num("next_payment_attempt") <= t.now {
		t.finalize(inv)
		t.collectInvoice(inv)
	}
}

// finalize gives an invoice its number and its payment intent. An invoice of zero is paid at once.
func (t *transaction) finalize(inv object) {
	customer := t.a.get("customer", inv.str("customer"))
	sequence := max(customer.num("next_invoice_sequence"), 1)
	customer["next_invoice_sequence"] = sequence + 1
	inv["number"] = fmt.Sprintf("%s-%04d", customer.str("invoice_prefix"), sequence)
	inv["status"], inv["effective_at"], inv["next_payment_attempt"] = "open", t.now, nil
	inv["hosted_invoice_url"] = t.s.base() + "/c/invoice/" + inv.str("id")
	inv["status_transitions"] = inv.obj("status_transitions").with(object{"finalized_at": t.now})
	if inv.num("amount_due") > 0 && inv["payment_intent"] == nil {
		t.invoiceIntent(inv)
	}
	t.emit("invoice.finalized", inv, nil)
	if inv.num("amount_due") == 0 {
		t.paid(inv)
	}
}

// intentTexts are Stripe's descriptions of an invoice's payment intent. The intent does not have the
// subscription's metadata.
var intentTexts = map[string]string{"subscription_create": "Subscription creation", "subscription_cycle": "Subscription update",
	"subscription_update": "Subscription update"}

func (t *transaction) invoiceIntent(inv object) object {
	pi := t.newIntent(object{"amount_total": inv["amount_due"], "currency": inv["currency"], "customer": inv["customer"],
		"payment_method_types": []any{"card"}},
		object{"metadata": object{}, "description": intentTexts[inv.str("billing_reason")], "receipt_email": nil, "statement_descriptor": nil,
			"statement_descriptor_suffix": nil, "setup_future_usage": nil, "invoice": inv["id"]})
	inv["payment_intent"] = pi["id"]
	return pi
}

// methodFor returns the payment method of an invoice: the subscription's own, else the customer's default;
// nil if there is none.
func (t *transaction) methodFor(inv object) object {
	sub := t.a.get("subscription", inv.str("subscription"))
	id := sub.str("default_payment_method")
	if id == "" {
		id = t.a.get("customer", inv.str("customer")).obj("invoice_settings").str("default_payment_method")
	}
	return t.a.get("payment_method", id)
}

// collectInvoice makes an automatic attempt. If it fails, it schedules the next one or gives up.
func (t *transaction) collectInvoice(inv object) {
	if inv.str("status") != "open" || t.a.get("payment_intent", inv.str("payment_intent")).str("status") == "processing" {
		return
	}
	pm, h := t.methodFor(inv), t.a.hidden(inv)
	worn := slices.Contains(hardDeclines, h.str("decline")) && h.str("method") == pm.str("id")
	if !worn && t.chargeInvoice(inv, pm) == nil {
		return
	}
	t.scheduleRetry(inv, worn)
}

// scheduleRetry schedules an invoice's next automatic attempt after a failed one, or gives up. skipped is true if no
// attempt was made.
func (t *transaction) scheduleRetry(inv object, skipped bool) {
	h := t.a.hidden(inv)
	step := h.num("step")
	h["step"] = step + 1
	if step < int64(len(retryAfter)) && inv.flag("auto_advance") {
		inv["next_payment_attempt"] = t.now + retryAfter[step]
		t.schedule(t.now+retryAfter[step], "retry", inv.str("id"))
	} else {
		inv["next_payment_attempt"] = nil
	}
	if skipped {
		t.emit("invoice.updated", inv, object{"next_payment_attempt": t.now})
	} else {
		t.emitFailure(inv)
	}
	sub := t.a.get("subscription", inv.str("subscription"))
	if inv["next_payment_attempt"] == nil {
		t.giveUp(sub, inv)
	}
}

// chargeInvoice charges an invoice to a payment method (nil: there is none). It returns the decline and then sets
// the subscription to past_due; the caller emits the event of the failure. A bank account answers days later.
func (t *transaction) chargeInvoice(inv, pm object) *apiError {
	pi := t.a.get("payment_intent", inv.str("payment_intent"))
	inv["attempted"], inv["attempt_count"] = true, inv.num("attempt_count")+1
	why := invalid("", "", "There is no payment method to charge.")
	if pm != nil {
		why = t.outcomeFor(pm)
	}
	h := t.a.hidden(inv)
	h["method"], h["decline"] = pm.str("id"), ""
	switch {
	case pm.str("type") == "us_bank_account":
		t.debitLater(pi, pm, why)
		return nil
	case why == nil:
		t.chargeConfirmed(inv, pi, pm)
		return nil
	case pm != nil:
		h["decline"] = why.declineCode
		t.refuse(pi, pm, why)
		inv["charge"] = pi["latest_charge"]
		if why.declineCode == "authentication_required" {
			pi["status"], pi["payment_method"] = "requires_action", pm["id"]
			pi["next_action"] = object{"type": "use_stripe_sdk", "use_stripe_sdk": object{}}
			t.emit("payment_intent.requires_action", pi, nil)
		}
	}
	t.setStatus(t.a.get("subscription", inv.str("subscription")), "past_due")
	return why
}

// emitFailure emits the event of a failed attempt, with the time of the next one.
func (t *transaction) emitFailure(inv object) {
	if t.a.hidden(inv).str("decline") == "authentication_required" {
		t.emit("invoice.payment_action_required", inv, nil)
	}
	t.emit("invoice.payment_failed", inv, nil)
}

// retry makes the next automatic attempt, unless it was rescheduled.
func (t *transaction) retry(inv object) {
	if inv.str("status") == "open" && inv.num("next_payment_attempt") == t.now {
		t.collectInvoice(inv)
	}
}

// giveUp applies Options.AfterRetries after the last automatic attempt has failed.
func (t *transaction) giveUp(sub, inv object) {
	inv["auto_advance"] = false
	switch {
	case sub.str("status") == "canceled" || t.s.opts.AfterRetries == "past_due":
	case t.s.opts.AfterRetries == "unpaid":
		t.setStatus(sub, "unpaid")
	default:
		t.end(sub, "payment_failed")
	}
}

// paid marks an invoice as paid. The subscription becomes active if no other invoice is open.
func (t *transaction) paid(inv object) {
	inv["status"], inv["paid"], inv["amount_paid"], inv["amount_remaining"], inv["next_payment_attempt"] = "paid", true, inv["amount_due"], int64(0), nil
	inv["attempted"] = true
	inv["status_transitions"] = inv.obj("status_transitions").with(object{"paid_at": t.now})
	t.emit("invoice.paid", inv, nil)
	t.emit("invoice.payment_succeeded", inv, nil)
	sub := t.a.get("subscription", inv.str("subscription"))
	if status := sub.str("status"); sub["latest_invoice"] == inv["id"] && (status == "past_due" || status == "unpaid") {
		t.setStatus(sub, "active")
	}
}

func (t *transaction) void(inv object) {
	inv["status"], inv["auto_advance"], inv["next_payment_attempt"] = "void", false, nil
	inv["status_transitions"] = inv.obj("status_transitions").with(object{"voided_at": t.now})
	if pi := t.a.get("payment_intent", inv.str("payment_intent")); pi != nil && pi.str("status") != "succeeded" {
		pi["status"], pi["canceled_at"], pi["cancellation_reason"], pi["next_action"] = "canceled", t.now, "void_invoice", nil
		t.emit("payment_intent.canceled", pi, nil)
	}
	t.emit("invoice.voided", inv, nil)
}

func (t *transaction) markUncollectible(inv object) {
	inv["status"], inv["auto_advance"], inv["next_payment_attempt"] = "uncollectible", false, nil
	inv["status_transitions"] = inv.obj("status_transitions").with(object{"marked_uncollectible_at": t.now})
	t.emit("invoice.marked_uncollectible", inv, nil)
}
