package stripefake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// A History acts at moments before the present of the stand-in's clock: it makes payments, refunds, disputes and payouts
// with dates in the past, oldest first. The clock itself does not move. A stand-in has at most one history. It must be
// made before anything else is paid.
//
//	none ──BeginHistory──▶ making ──Tell──▶ telling ──every event is acknowledged──▶ told
//
// While a history is made, lists and the balance do not show it, and no webhook reports it. So the program never imports
// a half of it: an import goes on from the newest transaction that it knows, and would not find older ones that are made
// later. Tasks of the schedule that are due in the history run when its clock reaches them. Tell shows everything at
// once, and sends the events oldest first, one at a time, after all other webhooks.
//
// Each act is one step and is stored together with the number of steps, so a history goes on after a restart.
type History struct{ s *Server }

// history is the state of the history. Its times are Unix seconds.
type history struct {
	From, Until int64
	At          int64 // the history's clock
	Steps, Done int
	Events      int  // how many events were to be told
	Told        bool // Tell was called
}

// HistoryProgress is what GET /_sandbox/history answers.
type HistoryProgress struct {
	State     string `json:"state"` // none, making, telling or told
	From      int64  `json:"from"`  // Unix seconds
	Until     int64  `json:"until"`
	Steps     int    `json:"steps"`     // of the whole history
	Done      int    `json:"done"`      // steps that are made
	Events    int    `json:"events"`    // to be told; 0 until all is made
	Delivered int    `json:"delivered"` // events that every endpoint has acknowledged
}

// ErrHistory is the error that a stand-in cannot have a history: it has payment pages already.
var ErrHistory = errors.New("the stand-in has payment pages, so it is too late for a history")

// BeginHistory begins a history of some steps between two moments in the past, or goes on with the one that was begun.
func (s *Server) BeginHistory(from, until time.Time, steps int) (*History, error) {
	s.mu.Lock()
	defer s.unlock()
	h := &History{s}
	switch {
	case s.history != nil && s.history.Told:
		return nil, errors.New("the history is made already")
	case s.history != nil:
		return h, nil
	case !from.Before(until) || until.After(s.now()):
		return nil, errors.New("a history is in the past")
	}
	for _, a := range s.accounts {
		if len(a.collection("checkout.session").items)+len(a.collection("charge").items) > 0 {
			return nil, ErrHistory
		}
	}
	s.history = &history{From: from.Unix(), Until: until.Unix(), At: from.Unix(), Steps: steps}
	s.dirty = true
	return h, nil
}

// HistoryProgress returns how far the history is.
func (s *Server) HistoryProgress() HistoryProgress {
	s.mu.Lock()
	defer s.unlock()
	h := s.history
	if h == nil {
		return HistoryProgress{State: "none"}
	}
	p := HistoryProgress{State: "making", From: h.From, Until: h.Until, Steps: h.Steps, Done: h.Done}
	if !h.Told {
		return p
	}
	waiting := 0
	for _, a := range s.accounts {
		for id := range a.Pending {
			if h.includes(a.Collections["event"].items[a.Collections["event"].at[id]].num("created")) {
				waiting++
			}
		}
	}
	p.State, p.Events, p.Delivered = "telling", h.Events, max(h.Events-waiting, 0)
	if waiting == 0 {
		p.State = "told"
	}
	return p
}

// includes reports whether a moment is in the history. There is none if h is nil.
func (h *history) includes(at int64) bool { return h != nil && at > 0 && at <= h.Until }

// hides reports whether something of a moment is in a history that is not told yet.
func (h *history) hides(at int64) bool { return h.includes(at) && !h.Told }

// holds reports whether a task of a moment waits for the history's clock.
func (h *history) holds(at int64) bool { return h.hides(at) && at > h.At }

// Done returns how many steps are made.
func (h *History) Done() int { return h.s.HistoryProgress().Done }

// Now returns the time of the history's clock.
func (h *History) Now() time.Time {
	h.s.mu.Lock()
	defer h.s.unlock()
	return time.Unix(h.s.history.At, 0)
}

// Move moves the history's clock forward and runs the tasks that are due until then.
func (h *History) Move(to time.Time) {
	h.s.mu.Lock()
	defer h.s.unlock()
	h.s.history.At = min(max(h.s.history.At, to.Unix()), h.s.history.Until)
	h.s.runDue(h.s.now())
	h.s.dirty = true
}

// ofHistory marks the context of a request that was made in the history.
type ofHistory struct{}

// HistoryAPI is the path of the API at the time of the history's clock: the address of the stand-in with this path is a
// value of STRIPE_API_URL.
const HistoryAPI = "/_sandbox/history"

// serveHistory serves the API at the time of the history's clock while a history is made.
func (s *Server) serveHistory(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	making := s.history != nil && !s.history.Told
	s.unlock()
	if !making {
		http.NotFound(w, r)
		return
	}
	s.serveAPI(w, r.WithContext(context.WithValue(r.Context(), ofHistory{}, true)))
}

func isOfHistory(r *http.Request) bool { return r != nil && r.Context().Value(ofHistory{}) != nil }

// timeOf returns the time of an API request, in Unix seconds: the present, or the history's clock. The caller holds the
// lock.
func (s *Server) timeOf(r *http.Request) int64 {
	if isOfHistory(r) && s.history != nil {
		return s.history.At
	}
	return s.now().Unix()
}

// act makes one step in an account.
func (h *History) act(account string, do func(t *transaction) error) error {
	h.s.mu.Lock()
	defer h.s.unlock()
	for _, a := range h.s.accounts {
		if a.Name == account {
			t := h.s.newTransaction(a)
			t.now = h.s.history.At
			if err := do(t); err != nil {
				return err
			}
			h.s.history.Done++
			h.s.dirty = true
			return nil
		}
	}
	return fmt.Errorf("no account is called %q", account)
}

// Leave makes one step in which nobody does anything, such as a payment page that a donor leaves open.
func (h *History) Leave(account string) error {
	return h.act(account, func(*transaction) error { return nil })
}

// Pay pays a session by card, or by bank debit if bank is "pays" or "fails".
func (h *History) Pay(account, session string, card Card, bank string) error {
	return h.act(account, func(t *transaction) error { return t.payPage(session, paymentOrder{card: card, bank: bank}) })
}

// Decline tries to pay a session with a card that is declined.
func (h *History) Decline(account, session string, card Card) error {
	return h.act(account, func(t *transaction) error {
		var why *apiError
		if err := t.payPage(session, paymentOrder{card: card}); !errors.As(err, &why) || why.declineCode == "" {
			return cmp.Or(err, errors.New("the card is not declined"))
		}
		return nil
	})
}

// payPage pays a session as an order says.
func (t *transaction) payPage(session string, o paymentOrder) error {
	cs := t.a.get("checkout.session", session)
	if step := pageState(t.a, cs); step != "pay" {
		return fmt.Errorf("session %q cannot be paid: %s", session, step)
	}
	return orNil(t.payOrder(cs, o))
}

// PayByHand makes a payment without a page, as a person does in Stripe's dashboard.
func (h *History) PayByHand(account string, amount int64, card Card, email, description string) error {
	return h.act(account, func(t *transaction) error {
		who, bad := readCard(card, time.Unix(t.now, 0))
		if bad != nil {
			return bad
		}
		who.email = email
		pm := t.newPaymentMethod(who)
		customer := t.newCustomer(object{"email": email, "name": orNull(card.Name)})
		t.attach(pm, customer.str("id"))
		pi := t.newIntent(object{"amount_total": amount, "currency": "usd", "customer": customer["id"], "payment_method_types": []any{"card"}},
			object{"metadata": object{}, "description": description, "receipt_email": nil, "statement_descriptor": nil,
				"statement_descriptor_suffix": nil, "setup_future_usage": nil, "payment_method": pm["id"]})
		t.settled(pi, t.charge(nil, pi, pm, object{"status": "succeeded", "paid": true, "captured": true, "amount_captured": amount,
			"outcome": cardOutcome("approved_by_network", "authorized", nil, "Payment complete.")}))
		return nil
	})
}

// lastCharge returns the newest successful charge of a payer.
func (t *transaction) lastCharge(email string) (object, error) {
	var last object
	for _, ch := range t.a.collection("charge").items {
		if ch.obj("billing_details").str("email") == email && ch.str("status") == "succeeded" {
			last = ch
		}
	}
	if last == nil {
		return nil, fmt.Errorf("%s has paid nothing", email)
	}
	return t.a.get("charge", last.str("id")), nil
}

// Refund refunds an amount in minor units (0: what is left) of a payer's last payment, in Stripe's dashboard.
func (h *History) Refund(account, email string, amount int64, reason string) error {
	return h.act(account, func(t *transaction) error {
		ch, err := t.lastCharge(email)
		if err != nil {
			return err
		}
		_, bad := t.refund(ch, amount, reason, object{})
		return orNil(bad)
	})
}

// FailRefund makes the refund of a payer's last payment fail, as the bank does.
func (h *History) FailRefund(account, email string) error {
	return h.act(account, func(t *transaction) error {
		ch, err := t.lastCharge(email)
		if err != nil {
			return err
		}
		refunds := t.a.where("refund", "charge", ch.str("id"))
		if len(refunds) == 0 {
			return fmt.Errorf("%s got nothing back", email)
		}
		return orNil(t.failRefund(refunds[len(refunds)-1]))
	})
}

// Dispute opens a dispute of a payer's last payment.
func (h *History) Dispute(account, email, reason string) error {
	return h.act(account, func(t *transaction) error {
		ch, err := t.lastCharge(email)
		if err != nil {
			return err
		}
		_, bad := t.openDispute(ch, disputeRequest{Reason: reason})
		return orNil(bad)
	})
}

// CloseDispute closes the dispute of a payer's last payment: "won" or "lost".
func (h *History) CloseDispute(account, email, outcome string) error {
	return h.act(account, func(t *transaction) error {
		ch, err := t.lastCharge(email)
		if err != nil {
			return err
		}
		dp := t.a.get("dispute", ch.str("dispute"))
		if dp == nil {
			return fmt.Errorf("%s has disputed nothing", email)
		}
		return orNil(t.closeDispute(dp, outcome))
	})
}

// FailCard makes the next times charges of the card of a payer's subscription fail with a decline code.
func (h *History) FailCard(account, email, decline string, times int) error {
	return h.act(account, func(t *transaction) error {
		for _, customer := range t.a.where("customer", "email", email) {
			for _, sub := range t.a.where("subscription", "customer", customer.str("id")) {
				card := t.a.hidden(t.methodFor(object{"subscription": sub["id"], "customer": sub["customer"]}))
				card["fail"], card["fail_times"] = decline, int64(times)
				return nil
			}
		}
		return fmt.Errorf("%s has no subscription", email)
	})
}

// Payout pays an account's available balance out.
func (h *History) Payout(account string) error {
	return h.act(account, func(t *transaction) error {
		if len(t.payOut()) == 0 {
			return errors.New("there is nothing to pay out")
		}
		return nil
	})
}

// Adjust changes an account's balance by an amount in minor units, with a balance transaction of any type.
func (h *History) Adjust(account, kind, category string, amount int64, description string) error {
	return h.act(account, func(t *transaction) error {
		t.addBalanceEntry(balanceEntry{kind: kind, category: category, amount: amount, currency: "usd", text: description, available: t.now})
		return nil
	})
}

// Tell ends the history: it runs what is due until its end, shows everything and sends the events.
func (h *History) Tell() {
	h.Move(time.Unix(h.s.history.Until, 0))
	h.s.mu.Lock()
	defer h.s.unlock()
	h.s.history.Told, h.s.dirty = true, true
	h.s.history.Events = h.s.tell()
}

// tell queues the events of the history that are not acknowledged, and returns their number. The caller holds the lock.
func (s *Server) tell() (events int) {
	type told struct {
		at int64
		*delivery
	}
	var all []told
	for _, a := range s.accounts {
		for _, ev := range a.collection("event").items {
			waiting := a.Pending[ev.str("id")]
			if len(waiting) == 0 || !s.history.includes(ev.num("created")) {
				continue
			}
			events++
			for _, endpoint := range waiting {
				all = append(all, told{ev.num("created"), &delivery{a: a, event: ev.str("id"), endpoint: endpoint}})
			}
		}
	}
	slices.SortStableFunc(all, func(x, y told) int { return cmp.Compare(x.at, y.at) })
	s.sender.mu.Lock()
	defer s.sender.mu.Unlock()
	for _, next := range all {
		s.sender.told = append(s.sender.told, next.delivery)
	}
	s.sender.change.Broadcast()
	return events
}
