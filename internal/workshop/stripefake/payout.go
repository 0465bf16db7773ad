package stripefake

import (
	"maps"
	"slices"
	"strings"
)

var payoutRoutes = []route{
	{"GET /v1/payouts", listing("status", "destination"), listBy("payout", "status", "destination")},
	{"GET /v1/payouts/{id}", nil, retrieve("payout", "payout")},
}

// payOut makes one payout a currency of everything that is available and in no payout yet. The payout arrives
// at once.
func (t *transaction) payOut() []object {
	gone := map[string]bool{}
	for _, private := range t.a.collection("payout.private").items {
		for _, id := range private["members"].([]any) { // type made by send
			gone[id.(string)] = true
		}
	}
	members, sums := map[string][]any{}, map[string]int64{}
	for _, bt := range t.a.collection("balance_transaction").items {
		if currency := bt.str("currency"); !gone[bt.str("id")] && bt.num("available_on") <= t.now {
			members[currency] = append(members[currency], bt["id"])
			sums[currency] += bt.num("net")
		}
	}
	var sent []object
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		if sums[currency] > 0 {
			po := t.makePayout(payoutTerms{automatic: true, method: "standard", amount: sums[currency], currency: currency})
			t.a.put(object{"object": "payout.private", "id": "private_" + po.str("id"), "members": append(members[currency], po["balance_transaction"])})
			sent = append(sent, po)
		}
	}
	return sent
}

// payoutTerms holds the kind of a payout. Stripe lists the members of automatic payouts only.
type payoutTerms struct {
	automatic  bool
	method     string // "standard" or "instant"
	amount     int64
	currency   string
	descriptor any // on the bank statement; nil: the account's default
}

// makePayout makes one payout and marks it as paid.
func (t *transaction) makePayout(terms payoutTerms) object {
	amount, currency := terms.amount, terms.currency
	po := t.new("payout", "po_", object{
		"amount": amount, "arrival_date": daysLater(t.now, 0), "automatic": terms.automatic, "balance_transaction": nil, "currency": currency,
		"description": "STRIPE PAYOUT", "destination": "ba_" + strings.TrimPrefix(t.a.ID, "acct_"), "failure_balance_transaction": nil,
		"failure_code": nil, "failure_message": nil, "method": terms.method, "original_payout": nil, "reconciliation_status": "in_progress",
		"reversed_by": nil, "source_type": "card", "statement_descriptor": terms.descriptor, "status": "in_transit", "type": "bank_account",
	})
	bt := t.addBalanceEntry(balanceEntry{kind: "payout", category: "payout", amount: -amount, currency: currency,
		source: po.str("id"), text: "STRIPE PAYOUT", available: t.now})
	po["balance_transaction"] = bt["id"]
	t.emit("payout.created", po, nil)
	po["status"], po["reconciliation_status"] = "paid", "completed"
	t.emit("payout.paid", po, object{"status": "in_transit"})
	t.emit("payout.reconciliation_completed", po, nil)
	return po
}

// failPayout makes a payout fail, which the bank may do for days after the status paid.
func (t *transaction) failPayout(po object) *apiError {
	if po.str("status") != "paid" {
		return invalid("", "payout", "Payout "+po.str("id")+" has already failed.")
	}
	bt := t.addBalanceEntry(balanceEntry{kind: "payout_failure", category: "payout_reversal", amount: po.num("amount"), currency: po.str("currency"),
		source: po.str("id"), text: "STRIPE PAYOUT FAILURE", available: t.now})
	po["status"], po["failure_code"], po["failure_message"] = "failed", "account_closed", "The bank account has been closed."
	po["failure_balance_transaction"] = bt["id"]
	t.emit("payout.failed", po, object{"status": "paid"})
	return nil
}
