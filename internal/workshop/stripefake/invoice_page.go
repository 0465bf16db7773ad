package stripefake

import (
	"net/http"
	"time"
)

// This file has the hosted page of an invoice. Anyone who has its address can pay it with any card or confirm
// the authentication.

// invoice finds an invoice of any account. The caller holds the lock.
func (s *Server) invoice(id string) (*transaction, object) {
	for _, a := range s.accounts {
		if inv := a.get("invoice", id); inv != nil {
			return s.newTransaction(a), inv
		}
	}
	return nil, nil
}

// invoicePage returns the page of an invoice in its present state. The caller holds the lock.
func invoicePage(t *transaction, inv object) payPage {
	p := payPage{Lang: "en", W: pageTextFor["en"], Step: "unknown"}
	if inv == nil || inv.str("status") == "draft" {
		return p
	}
	p.Account, p.Action, p.Step = or(t.a.Title, t.a.Name), "/c/invoice/"+inv.str("id"), "expired"
	p.Total = amountText(inv.num("amount_due"), inv.str("currency"), p.Lang)
	for _, l := range inv.obj("lines")["data"].([]any) { // type made by invoiceOf
		line := l.(object)
		p.Lines = append(p.Lines, payLine{line.str("description"), amountText(line.num("amount"), inv.str("currency"), p.Lang)})
	}
	switch {
	case inv.str("status") == "paid":
		p.Step = "paid"
	case inv.str("status") == "open" && t.a.get("payment_intent", inv.str("payment_intent")).str("status") == "requires_action":
		p.Step = "authenticate"
	case inv.str("status") == "open":
		p.Step = "pay"
	}
	return p
}

func (s *Server) showInvoice(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.runDue(s.now())
	p := invoicePage(s.invoice(r.PathValue("id")))
	s.unlock()
	show(w, p, closedStatus[p.Step])
}

// postInvoice pays an open invoice and shows the page with the result.
func (s *Server) postInvoice(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	in := Card{Number: r.PostFormValue("card_number"), Exp: r.PostFormValue("exp"), CVC: r.PostFormValue("cvc"), Name: r.PostFormValue("name")}
	s.mu.Lock()
	s.runDue(s.now())
	t, inv := s.invoice(r.PathValue("id"))
	p := invoicePage(t, inv)
	var problem *apiError
	switch answer := r.PostFormValue("answer"); {
	case p.Step == "authenticate" && answer == "complete":
		t.confirmPayment(inv)
	case p.Step == "authenticate" && answer == "fail":
		pi := t.a.get("payment_intent", inv.str("payment_intent"))
		pi["status"], pi["next_action"], pi["payment_method"] = "requires_payment_method", nil, nil
		t.emit("payment_intent.payment_failed", pi, nil)
	case p.Step == "pay":
		problem = t.payOnPage(inv, in)
	}
	p = invoicePage(t, inv)
	s.dirty = true
	s.unlock()
	status := closedStatus[p.Step]
	if problem != nil {
		in.CVC = ""
		p.Card, p.Problem, p.Field, status = in, p.W.problem(problem), problem.param, http.StatusPaymentRequired
	}
	show(w, p, status)
}

// payOnPage pays an invoice on its page with a card that is not saved. The card's owner is present, so a card
// that fails only in later charges does not fail here.
func (t *transaction) payOnPage(inv object, in Card) *apiError {
	who, bad := readCard(in, time.Unix(t.now, 0))
	if bad != nil {
		return bad
	}
	pi, pm := t.a.get("payment_intent", inv.str("payment_intent")), t.newPaymentMethod(who)
	t.a.hidden(pm)["used"] = true
	inv["attempt_count"] = inv.num("attempt_count") + 1
	if who.card.decline != nil {
		t.refuse(pi, pm, who.card.decline)
		t.emit("invoice.payment_failed", inv, nil)
		return who.card.decline
	}
	pi["payment_method"] = pm["id"]
	t.confirmPayment(inv)
	return nil
}

// confirmPayment charges the method on the invoice's payment intent after its owner has confirmed the payment.
func (t *transaction) confirmPayment(inv object) {
	pi := t.a.get("payment_intent", inv.str("payment_intent"))
	t.chargeConfirmed(inv, pi, t.a.get("payment_method", pi.str("payment_method")))
}

// chargeConfirmed makes a successful charge and marks the invoice as paid.
func (t *transaction) chargeConfirmed(inv, pi, pm object) {
	pi["payment_method"], pi["last_payment_error"] = pm["id"], nil
	ch := t.charge(nil, pi, pm, object{"status": "succeeded", "paid": true, "captured": true, "amount_captured": pi["amount"],
		"outcome": cardOutcome("approved_by_network", "authorized", nil, "Payment complete.")})
	inv["charge"] = ch["id"]
	t.settled(pi, ch)
	t.paid(inv)
	if testCards[t.a.hidden(pm).str("number")].disputed {
		_, _ = t.openDispute(ch, disputeRequest{Reason: "fraudulent"}) // no error: a charge just made can be disputed
	}
}
