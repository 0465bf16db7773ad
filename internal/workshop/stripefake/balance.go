package stripefake

import (
	"maps"
	"slices"
)

var balanceRoutes = []route{
	{"GET /v1/balance", nil, getBalance},
	{"GET /v1/balance_transactions", listing("type", "source", "currency", "payout"), listBalanceTransactions},
	{"GET /v1/balance_transactions/{id}", nil, retrieve("balance_transaction", "balance transaction")},
}

// of returns the fee of an amount in minor units, rounded half up.
func (f Fee) of(amount int64) int64 { return (amount*f.BasisPoints+5000)/10000 + f.Fixed }

// debitFee returns Stripe's fee of an ACH debit in minor units: 0.8 %, at most 5.00.
func debitFee(amount int64) int64 { return min(Fee{BasisPoints: 80}.of(amount), 500) }

const day = 24 * 60 * 60

// daysLater returns the UTC midnight, days after now, at which a payment of now becomes available. now is in
// Unix seconds.
func daysLater(now, days int64) int64 { return now - now%day + days*day }

// balanceEntry is a change of the balance before it is stored as a balance transaction.
type balanceEntry struct {
	kind, category string // Stripe's type and reporting_category
	amount, fee    int64  // minor units; net is amount less fee
	feeText        string
	currency       string
	source         string
	text           any
	available      int64
}

// addBalanceEntry stores a balance transaction.
func (t *transaction) addBalanceEntry(m balanceEntry) object {
	fees := []any{}
	if m.fee != 0 {
		fees = append(fees, object{"amount": m.fee, "application": nil, "currency": m.currency, "description": m.feeText, "type": "stripe_fee"})
	}
	bt := t.new("balance_transaction", "txn_", object{
		"amount": m.amount, "available_on": m.available, "cross_border_classification": nil, "currency": m.currency, "description": m.text,
		"exchange_rate": nil, "fee": m.fee, "fee_details": fees, "net": m.amount - m.fee, "reporting_category": m.category,
		"source": orNull(m.source), "status": "pending", "type": m.kind,
	})
	delete(bt, "livemode")
	delete(bt, "metadata")
	return bt
}

// listBalanceTransactions lists balance transactions. With the parameter payout it lists the members of that
// payout (stored in the private object of the payout) and the payout's own transaction.
func listBalanceTransactions(c *call) (any, error) {
	paid := map[string]bool{}
	if po := c.p.str("payout"); po != "" {
		if _, err := c.must("payout", "payout", po, "payout"); err != nil {
			return nil, err
		}
		if c.a.get("payout", po)["automatic"] == false {
			return nil, invalid("", "payout", "Balance transaction history can only be filtered on automatic transfers, not manual.")
		}
		members, _ := c.a.get("payout.private", "private_"+po)["members"].([]any)
		for _, id := range members {
			paid[id.(string)] = true // ids are strings
		}
	}
	return c.page("balance_transaction", func(o object) bool {
		for _, f := range []string{"type", "source", "currency"} {
			if c.p.has(f) && o.str(f) != c.p.str(f) {
				return false
			}
		}
		return !c.p.has("payout") || paid[o.str("id")]
	})
}

// getBalance returns the sum of all balance transactions by currency, available and pending.
func getBalance(c *call) (any, error) {
	available, pending := map[string]int64{"usd": 0}, map[string]int64{"usd": 0}
	for _, bt := range c.a.collection("balance_transaction").items {
		if c.s.history.hides(bt.num("created")) {
			continue
		}
		sums := pending
		if bt.num("available_on") <= c.now {
			sums = available
		}
		available[bt.str("currency")] += 0
		pending[bt.str("currency")] += 0
		sums[bt.str("currency")] += bt.num("net")
	}
	return object{"object": "balance", "livemode": false, "available": amounts(available), "pending": amounts(pending)}, nil
}

func amounts(sums map[string]int64) []any {
	list := []any{}
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		list = append(list, object{"amount": sums[currency], "currency": currency, "source_types": object{"card": sums[currency]}})
	}
	return list
}
