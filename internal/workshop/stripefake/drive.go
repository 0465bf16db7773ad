package stripefake

import (
	"errors"
	"fmt"
)

// This file has the actions of payers, banks and people at Stripe's dashboard, for tests in Go; the panel
// does the same over HTTP.

// Pay pays a session without its page. If the card asks for authentication, Pay confirms it. The error has
// the message of the decline.
func (s *Server) Pay(session string, card Card) error {
	return s.pay(session, paymentOrder{card: card})
}

// Debit pays a session by bank debit. The clock settles it days later; if refused is true, the debit fails
// then.
func (s *Server) Debit(session string, refused bool) error {
	bank := "pays"
	if refused {
		bank = "fails"
	}
	return s.pay(session, paymentOrder{card: GoodCard, bank: bank})
}

func (s *Server) pay(session string, o paymentOrder) error {
	s.mu.Lock()
	defer s.unlock()
	s.runDue(s.now())
	a, cs := s.session(session)
	if step := pageState(a, cs); step != "pay" && step != "authenticate" {
		return fmt.Errorf("session %q cannot be paid: %s", session, step)
	}
	t := s.newTransaction(a)
	problem := t.payOrder(cs, o)
	if problem == nil {
		problem = t.authenticated(cs, true)
	}
	if problem != nil {
		return errors.New(problem.message)
	}
	return nil
}

// GoodCard is a card whose payments always succeed.
var GoodCard = Card{Number: "4242424242424242", Exp: "12/49", CVC: "123", Name: "Test Payer"}

// Refund refunds an amount of a payment intent in minor units (0: the whole remainder), as a person does in
// Stripe's dashboard. It returns the refund's id.
func (s *Server) Refund(intent string, amount int64) (string, error) {
	return idOf(s.panelRefund(refundRequest{PaymentIntent: intent, Amount: amount}))
}

// FailRefund makes a refund fail, as the bank does.
func (s *Server) FailRefund(refund string) error {
	_, err := s.panelRefund(refundRequest{Refund: refund, Fail: true})
	return err
}

// Dispute opens a dispute of a payment, or an inquiry, and returns the dispute's id.
func (s *Server) Dispute(intent string, inquiry bool) (string, error) {
	return idOf(s.panelDispute(disputeRequest{PaymentIntent: intent, Inquiry: inquiry}))
}

// DisputeAmount opens a dispute of any amount, in minor units: a bank may take back more than the charge, what was
// refunded, or what was disputed before.
func (s *Server) DisputeAmount(intent string, amount int64, inquiry bool) (string, error) {
	return idOf(s.panelDispute(disputeRequest{PaymentIntent: intent, Amount: amount, Inquiry: inquiry}))
}

// CloseDispute closes a dispute ("won", "lost") or an inquiry ("escalated", "closed").
func (s *Server) CloseDispute(dispute, outcome string) error {
	_, err := s.panelDispute(disputeRequest{Dispute: dispute, Outcome: outcome})
	return err
}

// Payout pays an account's available balance out (all accounts if account is empty) and returns the payouts'
// ids. It reports an error if there is nothing to pay out.
func (s *Server) Payout(account string) ([]string, error) {
	return payoutIDs(s.panelPayout(payoutRequest{Account: account}))
}

// ManualPayout makes a payout of an amount, in minor units of USD, as a person does in Stripe's dashboard,
// and returns its id.
func (s *Server) ManualPayout(account string, amount int64, instant bool) (string, error) {
	ids, err := payoutIDs(s.panelPayout(payoutRequest{Account: account, Manual: amount, Instant: instant}))
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
	for _, po := range out.(object)["payouts"].([]object) { // type made by panelPayout
		ids = append(ids, po.str("id"))
	}
	return ids, nil
}

// FailPayout makes a payout fail, as the bank does.
func (s *Server) FailPayout(payout string) error {
	_, err := s.panelPayout(payoutRequest{Payout: payout, Fail: true})
	return err
}

// AdjustBalance changes an account's balance by an amount in minor units, with a balance transaction of any type:
// Stripe's fees, adjustments, unknown types. It returns the id of the balance transaction.
func (s *Server) AdjustBalance(account, kind, currency string, amount int64) (string, error) {
	return idOf(s.panelAdjust(adjustRequest{Account: account, Type: kind, Currency: currency, Amount: amount}))
}

func idOf(out any, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return out.(object).str("id"), nil // the panel returns an object
}
