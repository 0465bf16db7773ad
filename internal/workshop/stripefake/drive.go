package stripefake

import (
	"errors"
	"fmt"
)

// What a payer, a bank or a person at the dashboard does, for tests and load in Go; the panel does the same over HTTP.

// Pay pays a session as its page would, without the page: for tests and load. A card that asks for authentication is
// agreed to. The error is the decline's message.
func (s *Server) Pay(session string, card Card) error {
	return s.pay(session, paymentOrder{card: card})
}

// Debit pays a session by a bank debit, which the clock settles or, if the bank refuses it, sends back days later.
func (s *Server) Debit(session string, refused bool) error {
	bank := "pays"
	if refused {
		bank = "fails"
	}
	return s.pay(session, paymentOrder{card: GoodCard, bank: bank})
}

func (s *Server) pay(session string, o paymentOrder) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue(s.now())
	a, cs := s.session(session)
	if step := stepOf(a, cs); step != "pay" && step != "authenticate" {
		return fmt.Errorf("session %q cannot be paid: %s", session, step)
	}
	t := s.act(a)
	problem := t.payOrder(cs, o)
	if problem == nil {
		problem = t.authenticated(cs, true)
	}
	if problem != nil {
		return errors.New(problem.message)
	}
	return nil
}

// GoodCard always pays.
var GoodCard = Card{Number: "4242424242424242", Exp: "12/49", CVC: "123", Name: "Test Payer"}

// Refund gives back an amount of a payment intent, 0 for all that is left, as a person at the dashboard would. It
// returns the refund's id.
func (s *Server) Refund(intent string, amount int64) (string, error) {
	return idOf(s.askRefund(refundAsk{PaymentIntent: intent, Amount: amount}))
}

// FailRefund is the bank sending a refund back.
func (s *Server) FailRefund(refund string) error {
	_, err := s.askRefund(refundAsk{Refund: refund, Fail: true})
	return err
}

// Dispute is the payer's bank taking a payment back, or only asking about it. It returns the dispute's id.
func (s *Server) Dispute(intent string, inquiry bool) (string, error) {
	return idOf(s.askDispute(disputeAsk{PaymentIntent: intent, Inquiry: inquiry}))
}

// Judge ends a dispute ("won", "lost") or moves an inquiry on ("escalated", "closed").
func (s *Server) Judge(dispute, outcome string) error {
	_, err := s.askDispute(disputeAsk{Dispute: dispute, Outcome: outcome})
	return err
}

// Payout sends an account's available money to the bank and returns the payouts' ids; no account is all of them. It
// is an error when there is nothing to send.
func (s *Server) Payout(account string) ([]string, error) {
	return payoutIDs(s.askPayout(payoutAsk{Account: account}))
}

// ManualPayout makes a payout of an amount, in minor units of USD, as a person does in Stripe's dashboard, and returns its id.
func (s *Server) ManualPayout(account string, amount int64, instant bool) (string, error) {
	ids, err := payoutIDs(s.askPayout(payoutAsk{Account: account, Manual: amount, Instant: instant}))
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

func payoutIDs(out any, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, po := range out.(object)["payouts"].([]object) { // as askPayout makes them
		ids = append(ids, po.str("id"))
	}
	return ids, nil
}

// FailPayout is the bank sending a payout back.
func (s *Server) FailPayout(payout string) error {
	_, err := s.askPayout(payoutAsk{Payout: payout, Fail: true})
	return err
}

// Adjust moves an account's balance by an amount, with a balance transaction of any type: Stripe's own fees,
// adjustments, things not yet invented. It returns the balance transaction's id.
func (s *Server) Adjust(account, kind, currency string, amount int64) (string, error) {
	return idOf(s.askAdjust(adjustAsk{Account: account, Type: kind, Currency: currency, Amount: amount}))
}

func idOf(out any, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return out.(object).str("id"), nil // the panel answers with an object
}
