package stripefake

import (
	"cmp"
	"encoding/json"
	"slices"
)

// Events returns the events of every account, oldest first, in Stripe's shape with the field "account" added.
func (s *Server) Events() []json.RawMessage { return s.State().Events }

// Bodies returns an account's events as its webhooks send them, oldest first, for tests that deliver them
// themselves (see Sign and Hold).
func (s *Server) Bodies(account string) [][]byte {
	s.mu.Lock()
	defer s.unlock()
	s.runDue(s.now())
	var bodies [][]byte
	for _, a := range s.accounts {
		if a.Name == account {
			for _, ev := range a.collection("event").items {
				body, _ := json.MarshalIndent(ev, "", "  ") // no error: objects hold only values that marshal
				bodies = append(bodies, body)
			}
		}
	}
	return bodies
}

// Objects returns the objects of a kind ("event", "charge", "balance_transaction", "payout.private" …) of an
// account as they are now, oldest first, without the first skip, so that a test can read only the new ones.
func (s *Server) Objects(account, kind string, skip int) []json.RawMessage {
	s.mu.Lock()
	defer s.unlock()
	s.runDue(s.now())
	var list []json.RawMessage
	for _, a := range s.accounts {
		if a.Name != account {
			continue
		}
		for _, o := range a.collection(kind).items[min(skip, len(a.collection(kind).items)):] {
			raw, _ := json.Marshal(s.newTransaction(a).shown(o)) // no error: objects hold only values that marshal
			list = append(list, raw)
		}
	}
	return list
}

// Object returns one object of an account as it is now; nil if there is none.
func (s *Server) Object(account, kind, id string) json.RawMessage {
	s.mu.Lock()
	defer s.unlock()
	s.runDue(s.now())
	for _, a := range s.accounts {
		if o := a.get(kind, id); a.Name == account && o != nil {
			raw, _ := json.Marshal(s.newTransaction(a).shown(o)) // no error: objects hold only values that marshal
			return raw
		}
	}
	return nil
}

// MarkDelivered marks an event as acknowledged by every endpoint, for tests that deliver events themselves. It is then
// not listed as undelivered.
func (s *Server) MarkDelivered(account, event string) {
	s.mu.Lock()
	defer s.unlock()
	for _, a := range s.accounts {
		if a.Name == account && a.get("event", event) != nil {
			for _, endpoint := range slices.Clone(a.Pending[event]) {
				a.acknowledged(event, endpoint)
			}
		}
	}
}

// State is the answer of the panel's state: each list in Stripe's shape, oldest first, with the field
// "account" added.
type State struct {
	Now                 int64             `json:"now"` // Unix seconds of the stand-in's clock
	Events              []json.RawMessage `json:"events"`
	Charges             []json.RawMessage `json:"charges"`
	CheckoutSessions    []json.RawMessage `json:"checkout_sessions"`
	Subscriptions       []json.RawMessage `json:"subscriptions"`
	Schedules           []json.RawMessage `json:"subscription_schedules"`
	Invoices            []json.RawMessage `json:"invoices"`
	Refunds             []json.RawMessage `json:"refunds"`
	Disputes            []json.RawMessage `json:"disputes"`
	Payouts             []json.RawMessage `json:"payouts"`
	BalanceTransactions []json.RawMessage `json:"balance_transactions"`
}

// State returns a copy of the objects of all accounts.
func (s *Server) State() State {
	s.mu.Lock()
	defer s.unlock()
	s.runDue(s.now())
	return State{
		Now: s.now().Unix(), Events: s.all("event"), Charges: s.all("charge"), CheckoutSessions: s.all("checkout.session"),
		Subscriptions: s.all("subscription"), Schedules: s.all("subscription_schedule"), Invoices: s.all("invoice"),
		Refunds: s.all("refund"), Disputes: s.all("dispute"), Payouts: s.all("payout"),
		BalanceTransactions: s.all("balance_transaction"),
	}
}

// all returns the objects of a kind of every account, marshalled.
func (s *Server) all(kind string) []json.RawMessage {
	var objects []object
	for _, a := range s.accounts {
		t := s.newTransaction(a)
		for _, o := range a.collection(kind).items {
			objects = append(objects, t.shown(o).with(object{"account": a.Name}))
		}
	}
	slices.SortStableFunc(objects, func(x, y object) int { return cmp.Compare(x.num("created"), y.num("created")) })
	list := make([]json.RawMessage, len(objects))
	for i, o := range objects {
		list[i], _ = json.Marshal(o) // no error: objects hold only values that marshal
	}
	return list
}
