package stripefake

import (
	"slices"
	"strings"
)

var disputeRoutes = []route{
	{"GET /v1/disputes", listing("charge", "payment_intent"), listBy("dispute", "charge", "payment_intent")},
	{"GET /v1/disputes/{id}", nil, retrieve("dispute", "dispute")},
	{"POST /v1/disputes/{id}/close", nil, func(c *call) (any, error) {
		dp, err := c.must("dispute", "dispute", c.id(), "id")
		if err != nil {
			return nil, err
		}
		if bad := c.closeDispute(dp, "lost"); bad != nil {
			return nil, bad
		}
		return dp, nil
	}},
}

const (
	disputeFee     = 1500 // minor units, in addition to the amount
	evidenceWithin = 9 * day
)

// openDispute opens a dispute, or an inquiry, which does not withdraw the money yet. The bank may name any amount: more
// than the charge, or of a charge that was refunded or disputed before. Without one it is what is not refunded, of a
// charge that was never disputed.
func (t *transaction) openDispute(ch object, in disputeRequest) (object, *apiError) {
	amount, reason, inquiry := in.Amount, in.Reason, in.Inquiry
	if amount == 0 {
		amount = ch.num("amount") - ch.num("amount_refunded")
	}
	before := t.a.get("dispute", ch.str("dispute"))
	switch {
	case ch.str("status") != "succeeded" || amount <= 0:
		return nil, invalid("", "charge", "Charge "+ch.str("id")+" holds no money that could be disputed.")
	case ch.flag("disputed") && (in.Amount == 0 || strings.HasSuffix(before.str("status"), "needs_response")):
		return nil, invalid("", "charge", "Charge "+ch.str("id")+" is disputed already.")
	}
	dp := t.new("dispute", "dp_", object{
		"amount": amount, "balance_transactions": []any{}, "charge": ch["id"], "currency": ch["currency"],
		"evidence":             object{"customer_email_address": ch.obj("billing_details")["email"], "customer_name": ch.obj("billing_details")["name"]},
		"evidence_details":     object{"due_by": t.now + evidenceWithin, "has_evidence": false, "past_due": false, "submission_count": int64(0)},
		"is_charge_refundable": inquiry, "payment_intent": ch["payment_intent"],
		"payment_method_details": object{"type": "card", "card": object{"brand": ch.obj("payment_method_details").obj("card")["brand"],
			"case_type": caseType(inquiry), "network_reason_code": "83"}},
		"reason": reason, "status": "needs_response",
	})
	ch["disputed"], ch["dispute"] = true, dp["id"]
	if inquiry {
		dp["status"] = "warning_needs_response"
		t.emit("charge.dispute.created", dp, nil)
		return dp, nil
	}
	t.withdraw(dp)
	t.emit("charge.dispute.created", dp, nil)
	t.emit("charge.dispute.funds_withdrawn", dp, nil)
	return dp, nil
}

func caseType(inquiry bool) string {
	if inquiry {
		return "inquiry"
	}
	return "chargeback"
}

// withdraw debits the disputed amount and the fee from the balance.
func (t *transaction) withdraw(dp object) {
	t.disputeMove(dp, "dispute", -dp.num("amount"), disputeFee, "Chargeback withdrawal for "+dp.str("charge"))
}

func (t *transaction) disputeMove(dp object, category string, amount, fee int64, text string) {
	bt := t.addBalanceEntry(balanceEntry{kind: "adjustment", category: category, amount: amount, fee: fee, feeText: "Dispute fee",
		currency: dp.str("currency"), source: dp.str("id"), text: text, available: t.now})
	moves, _ := dp["balance_transactions"].([]any)
	dp["balance_transactions"] = append(slices.Clone(moves), bt)
}

// outcomes lists the outcomes of a dispute. An inquiry can be escalated (to a dispute) or closed; a dispute
// can be won or lost.
var outcomes = []string{"won", "lost", "escalated", "closed"}

// closeDispute closes a dispute, or escalates or closes an inquiry. A won dispute returns the amount and the
// fee.
func (t *transaction) closeDispute(dp object, outcome string) *apiError {
	inquiry := dp.str("status") == "warning_needs_response"
	formal := dp.str("status") == "needs_response"
	before := object{"status": dp["status"]}
	switch {
	case formal && outcome == "won":
		dp["status"] = "won"
		t.disputeMove(dp, "dispute_reversal", dp.num("amount"), -disputeFee, "Chargeback reversal for "+dp.str("charge"))
		t.emit("charge.dispute.closed", dp, before)
		t.emit("charge.dispute.funds_reinstated", dp, nil)
	case formal && outcome == "lost":
		dp["status"] = "lost"
		t.emit("charge.dispute.closed", dp, before)
	case inquiry && outcome == "escalated":
		dp["status"], dp["is_charge_refundable"] = "needs_response", false
		t.withdraw(dp)
		t.emit("charge.dispute.updated", dp, before)
		t.emit("charge.dispute.funds_withdrawn", dp, nil)
	case inquiry && outcome == "closed":
		dp["status"], dp["is_charge_refundable"] = "warning_closed", true
		t.emit("charge.dispute.closed", dp, before)
	default:
		return invalid("", "outcome", "A dispute that is "+dp.str("status")+" cannot become "+outcome+": needs_response "+
			"can be won or lost, warning_needs_response escalated or closed.")
	}
	return nil
}

// refundable reports whether a disputed charge may be refunded: during an inquiry and after the dispute is
// won.
func (t *transaction) refundable(ch object) bool {
	dp := t.a.get("dispute", ch.str("dispute"))
	return dp.flag("is_charge_refundable") || dp.str("status") == "won"
}
