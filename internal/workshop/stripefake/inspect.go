package stripefake

import (
	"cmp"
	"encoding/json"
	"slices"
)

// Events returns the events of every account, oldest first, each as Stripe's API would show it with "account" beside.
func (s *Server) Events() []json.RawMessage { return s.State().Events }

// Bodies returns an account's events as its webhooks carry them, oldest first, for tests that deliver them by
// themselves (see Sign and Hold).
func (s *Server) Bodies(account string) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue(s.now())
	var bodies [][]byte
	for _, a := range s.accounts {
		if a.Name == account {
			for _, ev := range a.collection("event").items {
				body, _ := json.MarshalIndent(ev, "", "  ") // objects hold only what marshals
				bodies = append(bodies, body)
			}
		}
	}
	return bodies
}

// Objects returns an account's objects of a kind ("event", "charge", "balance_transaction", "payout.private" …) as they
// are now, in the order in which they were made, without the first skip: for tests that follow along.
func (s *Server) Objects(account, kind string, skip int) []json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue(s.now())
	var list []json.RawMessage
	for _, a := range s.accounts {
		if a.Name != account {
			continue
		}
		for _, o := range a.collection(kind).items[min(skip, len(a.collection(kind).items)):] {
			raw, _ := json.Marshal(s.act(a).shown(o)) // objects hold only what marshals
			list = append(list, raw)
		}
	}
	return list
}

// Object is one object of an account as it is now; nil when there is none.
func (s *Server) Object(account, kind, id string) json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue(s.now())
	for _, a := range s.accounts {
		if o := a.get(kind, id); a.Name == account && o != nil {
			raw, _ := json.Marshal(s.act(a).shown(o)) // objects hold only what marshals
			return raw
		}
	}
	return nil
}

// Took notes that every endpoint has taken an event, for tests that deliver by themselves: it is no longer listed as undelivered.
func (s *Server) Took(account, event string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		if a.Name == account && a.get("event", event) != nil {
			for _, endpoint := range slices.Clone(a.Pending[event]) {
				a.acknowledged(event, endpoint)
			}
		}
	}
}

// State is what the panel's state answers: each list in Stripe's shape, oldest first, with "account" beside.
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

// State copies what all accounts hold.
func (s *Server) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue(s.now())
	return State{
		Now: s.now().Unix(), Events: s.all("event"), Charges: s.all("charge"), CheckoutSessions: s.all("checkout.session"),
		Subscriptions: s.all("subscription"), Schedules: s.all("subscription_schedule"), Invoices: s.all("invoice"), Refunds: s.all("refund"), Disputes: s.all("dispute"), Payouts: s.all("payout"),
		BalanceTransactions: s.all("balance_transaction"),
	}
}

// all writes every account's objects of a kind.
func (s *Server) all(kind string) []json.RawMessage {
	var objects []object
	for _, a := range s.accounts {
		t := s.act(a)
		for _, o := range a.collection(kind).items {
			objects = append(objects, t.shown(o).with(object{"account": a.Name}))
		}
	}
	slices.SortStableFunc(objects, func(x, y object) int { return cmp.Compare(x.num("created"), y.num("created")) })
	list := make([]json.RawMessage, len(objects))
	for i, o := range objects {
		list[i], _ = json.Marshal(o) // objects hold only what marshals
	}
	return list
}
