package stripefake

import (
	"errors"
	"fmt"
	"net/http"
)

// This file has the actions of banks and payers on cards that are charged repeatedly, for tests in Go and for
// the panel.

// cardRequest is the body of the panel's request about a card.
type cardRequest struct {
	ID      string // of a payment method, a subscription or a customer
	Decline string // Stripe's decline code; empty: charges succeed again
	Times   int    // how many charges fail; 0: all from now on
	Exp     string // the new expiry date, like "01/30"
	Tell    bool   // with Exp: emit payment_method.automatically_updated
}

// FailCard makes later charges of a card fail with a decline code of docs.stripe.com/declines/codes
// ("insufficient_funds", "lost_card", "authentication_required" …): the next times charges, or all if times
// is 0. An empty code undoes FailCard, but does not change a number that always fails. id names a payment
// method, a subscription or a customer; the last two mean the card that is charged for them.
func (s *Server) FailCard(id, decline string, times int) error {
	_, err := s.panelCard(cardRequest{ID: id, Decline: decline, Times: times})
	return err
}

// SetCardExpiry changes a card's expiry date ("01/30"). If tell is true, it emits
// payment_method.automatically_updated, as Stripe does when the bank renews a card. An expired card is
// declined with expired_card.
func (s *Server) SetCardExpiry(id, exp string, tell bool) error {
	_, err := s.panelCard(cardRequest{ID: id, Exp: exp, Tell: tell})
	return err
}

// ReplaceCard gives a customer a new default card, as the portal's page does, and returns its id. A
// subscription with its own card does not change.
func (s *Server) ReplaceCard(customer string, card Card) (string, error) {
	s.mu.Lock()
	defer s.unlock()
	s.runDue(s.now())
	t, o, err := s.findObject("customer", customer)
	if err != nil {
		return "", err
	}
	pm, bad := t.replaceCard(o, card)
	return pm.str("id"), orNil(bad)
}

// ReplaceBank gives a customer a bank account as the default payment method and returns its id. After
// FailCard ("account_closed", "insufficient_funds" …) its debits fail days later.
func (s *Server) ReplaceBank(customer string) (string, error) {
	s.mu.Lock()
	defer s.unlock()
	s.runDue(s.now())
	t, o, err := s.findObject("customer", customer)
	if err != nil {
		return "", err
	}
	return t.setDefaultMethod(o, payer{method: "us_bank_account", number: "000123456789", name: o.str("name")}).str("id"), nil
}

// ReplaceLink makes Link a customer's default payment method and returns its id. Such a method has no card and no digits.
func (s *Server) ReplaceLink(customer string) (string, error) {
	s.mu.Lock()
	defer s.unlock()
	s.runDue(s.now())
	t, o, err := s.findObject("customer", customer)
	if err != nil {
		return "", err
	}
	return t.setDefaultMethod(o, payer{method: "link", name: o.str("name")}).str("id"), nil
}

// ConfirmInvoice confirms the payment of an invoice that waits for the payer's authentication, and so pays it. It
// reports an error if the invoice does not wait for it.
func (s *Server) ConfirmInvoice(invoice string) error {
	s.mu.Lock()
	defer s.unlock()
	s.runDue(s.now())
	t, inv, err := s.findObject("invoice", invoice)
	if err != nil {
		return err
	}
	pi := t.a.get("payment_intent", inv.str("payment_intent"))
	if inv.str("status") != "open" || pi.str("status") != "requires_action" {
		return fmt.Errorf("invoice %s does not wait for the payer's authentication", invoice)
	}
	t.confirmPayment(inv)
	return nil
}

// panelCard changes a card as in says.
func (s *Server) panelCard(in cardRequest) (any, error) {
	s.mu.Lock()
	defer s.unlock()
	s.runDue(s.now())
	t, pm := s.cardOf(in.ID)
	if pm == nil {
		return nil, &apiError{status: http.StatusNotFound, message: fmt.Sprintf("%q is neither a card nor a subscription or customer with a card", in.ID)}
	}
	s.dirty = true
	if in.Exp == "" {
		if in.Times < 0 {
			return nil, errors.New(`"times" is how many charges fail, 0 for all of them`)
		}
		h := t.a.hidden(pm)
		h["fail"], h["fail_times"] = in.Decline, int64(in.Times)
		return pm.with(nil), nil
	}
	month, year, ok := readExpiry(in.Exp)
	if !ok {
		return nil, errors.New(`"exp" is a month and a year, like "01/30"`)
	}
	before := pm.obj("card")
	pm["card"] = before.with(object{"exp_month": month, "exp_year": year})
	if in.Tell {
		t.emit("payment_method.automatically_updated", pm, object{"card": object{"exp_month": before["exp_month"], "exp_year": before["exp_year"]}})
	}
	return pm.with(nil), nil
}

// cardOf returns the payment method that id means; nil if there is none. The caller holds the lock.
func (s *Server) cardOf(id string) (*transaction, object) {
	for _, a := range s.accounts {
		t := s.newTransaction(a)
		if pm := a.get("payment_method", id); pm != nil {
			return t, pm
		}
		if sub := a.get("subscription", id); sub != nil {
			return t, t.methodFor(object{"subscription": id, "customer": sub["customer"]})
		}
		if a.get("customer", id) != nil {
			pm := t.methodFor(object{"customer": id})
			if own := a.where("payment_method", "customer", id); pm == nil && len(own) > 0 {
				pm = own[len(own)-1]
			}
			return t, pm
		}
	}
	return nil, nil
}
