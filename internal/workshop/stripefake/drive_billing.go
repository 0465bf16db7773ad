package stripefake

import (
	"errors"
	"fmt"
	"net/http"
)

// What banks and payers do to cards that are charged again and again, for tests and load in Go and for the panel.

// cardAsk is what the panel can be asked about a card.
type cardAsk struct {
	ID      string // of a payment method, a subscription or a customer
	Decline string // Stripe's decline code; empty: the card is good again
	Times   int    // the next so many charges only; 0: from now on
	Exp     string // "01/30": the card's new date
	Tell    bool   // with Exp: the card's network tells Stripe, and Stripe tells us
}

// FailCard makes later charges of a card fail with a decline code of docs.stripe.com/declines/codes
// ("insufficient_funds", "lost_card", "authentication_required" …): the next so many, or from now on when times is 0.
// An empty code heals what FailCard did, not a number that always fails. id names a payment method, or a subscription or customer and means the card it is charged to.
func (s *Server) FailCard(id, decline string, times int) error {
	_, err := s.askCard(cardAsk{ID: id, Decline: decline, Times: times})
	return err
}

// DateCard changes a card's expiry date ("01/30"), told of by payment_method.automatically_updated when tell is set:
// that is how a renewed card arrives. A card out of date is declined as expired_card.
func (s *Server) DateCard(id, exp string, tell bool) error {
	_, err := s.askCard(cardAsk{ID: id, Exp: exp, Tell: tell})
	return err
}

// ReplaceCard gives a customer a new default card, as the portal's page does, and returns its id. Subscriptions that
// have a card of their own keep it.
func (s *Server) ReplaceCard(customer string, card Card) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue(s.now())
	t, o, err := s.holding("customer", customer)
	if err != nil {
		return "", err
	}
	pm, bad := t.replaceCard(o, card)
	return pm.str("id"), orNil(bad)
}

// ReplaceBank gives a customer a bank account as the default, and returns its id: it is debited from then on, and FailCard has it
// refuse ("account_closed", "insufficient_funds" …), days after each debit.
func (s *Server) ReplaceBank(customer string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue(s.now())
	t, o, err := s.holding("customer", customer)
	if err != nil {
		return "", err
	}
	return t.keepDefault(o, payer{method: "us_bank_account", number: "000123456789", name: o.str("name")}).str("id"), nil
}

// Agree is the payer's answer to their bank about an invoice whose payment waits for it: yes pays it. It is an error
// when nothing waits.
func (s *Server) Agree(invoice string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue(s.now())
	t, inv, err := s.holding("invoice", invoice)
	if err != nil {
		return err
	}
	pi := t.a.get("payment_intent", inv.str("payment_intent"))
	if inv.str("status") != "open" || pi.str("status") != "requires_action" {
		return fmt.Errorf("invoice %s waits for nobody's answer", invoice)
	}
	t.agreed(inv)
	return nil
}

// askCard does to a card what is asked.
func (s *Server) askCard(in cardAsk) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue(s.now())
	t, pm := s.cardOf(in.ID)
	if pm == nil {
		return nil, &apiError{status: http.StatusNotFound, message: fmt.Sprintf("%q is no card, and no subscription or customer that has one", in.ID)}
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

// cardOf finds the card that is meant. The lock is held.
func (s *Server) cardOf(id string) (*transaction, object) {
	for _, a := range s.accounts {
		t := s.act(a)
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
