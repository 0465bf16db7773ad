package stripefake

import (
	"fmt"
	"strings"
)

var refundRoutes = []route{
	{"POST /v1/refunds", []string{"charge", "payment_intent", "amount", "reason", "metadata.*"}, createRefund},
	{"GET /v1/refunds", listing("charge", "payment_intent"), listBy("refund", "charge", "payment_intent")},
	{"GET /v1/refunds/{id}", nil, retrieve("refund", "refund")},
}

func createRefund(c *call) (any, error) {
	ch, err := c.chargeOf(c.p.str("charge"), c.p.str("payment_intent"))
	if err != nil {
		return nil, err
	}
	amount, given, err := c.p.int("amount")
	if err != nil {
		return nil, err
	}
	if given && amount < 1 {
		return nil, invalid("parameter_invalid_integer", "amount", "This value must be greater than or equal to 1.")
	}
	reason := c.p.str("reason")
	if reason != "" && reason != "duplicate" && reason != "fraudulent" && reason != "requested_by_customer" {
		return nil, invalid("", "reason", "Invalid reason: must be one of duplicate, fraudulent, or requested_by_customer")
	}
	metadata, err := c.p.metadata(nil)
	if err != nil {
		return nil, err
	}
	re, bad := c.refund(ch, amount, reason, metadata)
	if bad != nil {
		return nil, bad
	}
	return re, nil
}

// chargeOf returns a charge: by its own id, or the last one of a payment intent.
func (t *transaction) chargeOf(charge, intent string) (object, error) {
	switch {
	case charge != "":
		if ch := t.a.get("charge", charge); ch != nil {
			return ch, nil
		}
		return nil, noSuch("charge", charge, "charge")
	case intent == "":
		return nil, invalid("parameter_missing", "charge", "One of the following params should be provided for this request: payment_intent or charge.")
	}
	pi := t.a.get("payment_intent", intent)
	if pi == nil {
		return nil, noSuch("payment_intent", intent, "payment_intent")
	}
	ch := t.a.get("charge", pi.str("latest_charge"))
	if ch == nil {
		return nil, invalid("payment_intent_unexpected_state", "payment_intent", "This PaymentIntent ("+intent+") does not have a successful charge to refund.")
	}
	return ch, nil
}

// refund refunds an amount in minor units; 0 is the whole remainder. The processor keeps its fee.
func (t *transaction) refund(ch object, amount int64, reason string, metadata object) (object, *apiError) {
	remaining := ch.num("amount") - ch.num("amount_refunded")
	if amount == 0 {
		amount = remaining
	}
	currency := ch.str("currency")
	switch {
	case ch.str("status") != "succeeded":
		return nil, invalid("charge_not_refundable", "charge", "Charge "+ch.str("id")+" has not succeeded; it cannot be refunded.")
	case ch.flag("disputed") && !t.refundable(ch):
		return nil, invalid("charge_disputed", "charge", "Charge "+ch.str("id")+" has been charged back; cannot issue a refund.")
	case remaining == 0:
		return nil, invalid("charge_already_refunded", "charge", "Charge "+ch.str("id")+" has already been refunded.")
	case amount > remaining:
		return nil, invalid("amount_too_large", "amount", fmt.Sprintf("Refund amount (%s) is greater than unrefunded amount on charge (%s)",
			amountText(amount, currency, "en"), amountText(remaining, currency, "en")))
	}
	re := t.new("refund", "re_", object{
		"amount": amount, "balance_transaction": nil, "charge": ch["id"], "currency": currency, "destination_details": destination(ch, "pending"),
		"metadata": metadata, "payment_intent": ch["payment_intent"], "reason": orNull(reason), "receipt_number": nil,
		"source_transfer_reversal": nil, "status": "pending", "transfer_reversal": nil,
	})
	delete(re, "livemode")
	waits := t.refundsWait()
	if !waits {
		t.debitRefund(ch, re)
	}
	before := object{"amount_refunded": ch["amount_refunded"], "refunded": ch["refunded"]}
	ch["amount_refunded"] = ch.num("amount_refunded") + amount
	ch["refunded"] = ch.num("amount_refunded") == ch.num("amount")
	t.emit("charge.refunded", ch, before)
	t.emit("refund.created", re, nil)
	if !waits && re.str("status") == "succeeded" {
		re["destination_details"] = destination(ch, "available")
		t.refundChanged(re, object{"destination_details": destination(ch, "pending")})
	}
	return re, nil
}

// debitRefund takes a refund from the balance. A refund to a card has then succeeded; one to a bank account is pending
// until the bank has it.
func (t *transaction) debitRefund(ch, re object) {
	kind := "refund"
	re["status"] = "succeeded"
	if isBankDebit(ch) {
		kind, re["status"] = "payment_refund", "pending"
		t.schedule(t.now+refundToBank, "refunded", re.str("id"))
	}
	bt := t.addBalanceEntry(balanceEntry{kind: kind, category: "refund", amount: -re.num("amount"), currency: re.str("currency"),
		source: re.str("id"), text: "REFUND FOR CHARGE", available: t.now})
	re["balance_transaction"] = bt["id"]
}

// refundToBank is how long a refund to a bank account is pending, in seconds.
const refundToBank = 4 * day

func isBankDebit(ch object) bool { return strings.HasPrefix(ch.str("id"), "py_") }

// arriveAtBank makes a refund to a bank account succeed, unless it failed meanwhile.
func (t *transaction) arriveAtBank(re object) {
	if re.str("status") == "pending" {
		re["status"] = "succeeded"
		t.refundChanged(re, object{"status": "pending"})
	}
}

// refundChanged emits the two events that Stripe has for a changed refund.
func (t *transaction) refundChanged(re, before object) {
	t.emit("charge.refund.updated", re, before)
	t.emit("refund.updated", re, before)
}

// failRefund makes a refund fail, weeks after it succeeded too: the amount returns to the balance, if it was taken from
// it, and the charge counts as not refunded by it.
func (t *transaction) failRefund(re object) *apiError {
	before := object{"status": re["status"]}
	if re.str("status") != "succeeded" && re.str("status") != "pending" {
		return invalid("", "refund", "Refund "+re.str("id")+" has already failed.")
	}
	ch := t.a.get("charge", re.str("charge"))
	re["status"], re["failure_reason"] = "failed", "insufficient_funds"
	if re.str("balance_transaction") != "" {
		bt := t.addBalanceEntry(balanceEntry{kind: "refund_failure", category: "refund_failure", amount: re.num("amount"), currency: re.str("currency"),
			source: re.str("id"), text: "REFUND FAILURE", available: t.now})
		re["failure_reason"], re["failure_balance_transaction"] = "expired_or_canceled_card", bt["id"]
	}
	ch["amount_refunded"], ch["refunded"] = ch.num("amount_refunded")-re.num("amount"), false
	t.refundChanged(re, before)
	return nil
}

func destination(ch object, status string) object {
	if ch.obj("payment_method_details").str("type") != "card" {
		return object{"type": "us_bank_transfer", "us_bank_transfer": object{}}
	}
	card := object{"reference_status": status, "reference_type": "acquirer_reference_number", "type": "refund"}
	if status == "available" {
		card["reference"] = "74" + ch.str("id")[len(ch.str("id"))-10:]
	}
	return object{"type": "card", "card": card}
}
