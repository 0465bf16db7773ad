package stripefake

import "errors"

// Stripe makes no refund that the balance cannot pay: it is pending, without a balance transaction, until there is
// money. The stand-in's balance may be negative, as that of an account which Stripe may debit, so whether refunds wait
// is set for an account.

const refundSettings = "refund.private"

// refundsWait reports whether new refunds of the account wait for money.
func (t *transaction) refundsWait() bool {
	return t.a.get(refundSettings, "private_refunds").flag("wait")
}

// setRefundsWait sets whether refunds of the account wait for money. If they no longer do, those that wait are made.
func (t *transaction) setRefundsWait(wait bool) {
	t.a.put(object{"object": refundSettings, "id": "private_refunds", "wait": wait})
	if wait {
		return
	}
	for _, listed := range t.a.collection("refund").items {
		re := t.a.get("refund", listed.str("id"))
		if re.str("status") != "pending" || re.str("balance_transaction") != "" {
			continue
		}
		before := object{"status": "pending", "balance_transaction": nil}
		t.debitRefund(t.a.get("charge", re.str("charge")), re)
		t.refundChanged(re, before)
	}
}

// RefundsWait makes new refunds of an account wait, as if its balance could not pay them, or makes those that wait.
func (s *Server) RefundsWait(account string, wait bool) error {
	_, err := s.panelBalance(balanceRequest{Account: account, RefundsWait: wait})
	return err
}

// balanceRequest is a request of the panel.
type balanceRequest struct {
	Account     string
	RefundsWait bool `json:"refunds_wait"`
}

func (s *Server) panelBalance(in balanceRequest) (any, error) {
	s.mu.Lock()
	defer s.unlock()
	for _, a := range s.accounts {
		if a.Name == in.Account {
			s.dirty = true
			s.newTransaction(a).setRefundsWait(in.RefundsWait)
			return object{"account": a.Name, "refunds_wait": in.RefundsWait}, nil
		}
	}
	return nil, errors.New(`"account" is one of the accounts; "refunds_wait" says whether new refunds wait for money`)
}
