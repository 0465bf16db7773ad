package stripefake

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// panelRows is how many objects of each kind the panel shows, newest first.
const panelRows = 30

// panelPage is the data of page/panel.html.
type panelPage struct {
	Problem    string
	Find       string // id of the event that is searched
	Now        string
	Mode       Mode
	Modes      []Mode
	Waiting    int
	Rate       string // rate of the fault plan
	Rates      []string
	FaultKinds []string
	Accounts   []string
	Calls      int
	Payments   []panelRow
	Plans      []panelRow
	Disputes   []panelRow
	Payouts    []panelRow
	Events     []panelRow
}

// panelRow is one object with its possible actions.
type panelRow struct {
	ID, Intent, Account, At, What, Amount, Status string
	Can                                           []string // refund, dispute, an outcome of a dispute, resend
	Ends                                          bool     // a subscription that ends with its period
	at                                            int64
}

func (s *Server) showPanel(w http.ResponseWriter, problem, find string, status int) {
	s.mu.Lock()
	s.runDue(s.now())
	p := panelPage{Problem: problem, Find: find, Now: s.now().UTC().Format("Monday 2 January 2006, 15:04 MST"), Modes: modes,
		Rate: strconv.FormatFloat(s.faults.Rate, 'g', -1, 64), Rates: []string{"0", "0.05", "0.1", "0.3", "0.5", "1"},
		FaultKinds: FaultKinds, Calls: len(s.calls)}
	for _, a := range s.accounts {
		p.Accounts = append(p.Accounts, a.Name)
	}
	if !slices.Contains(p.Rates, p.Rate) {
		p.Rates = append(p.Rates, p.Rate)
	}
	p.Payments = s.rows("charge", paymentRow)
	p.Plans = s.rows("subscription", planRow)
	p.Disputes = s.rows("dispute", disputeRow)
	p.Payouts = s.rows("payout", func(o object, r *panelRow) { r.Status = o.str("status") })
	p.Events = s.rows("event", eventRow)
	if find != "" {
		p.Events = s.foundRow("event", find, eventRow)
	}
	s.unlock()
	s.sender.mu.Lock()
	p.Mode, p.Waiting = s.sender.mode, len(s.sender.ready)+len(s.sender.waiting)+s.sender.inProgress
	s.sender.mu.Unlock()
	write(w, "panel.html", p, status)
}

// rows returns the newest objects of a kind over all accounts, newest first. The caller holds the lock.
func (s *Server) rows(kind string, fill func(object, *panelRow)) []panelRow {
	var rows []panelRow
	for _, a := range s.accounts {
		items := a.collection(kind).items
		for _, o := range slices.Backward(items[max(0, len(items)-panelRows):]) {
			rows = append(rows, row(a, o, fill))
		}
	}
	slices.SortStableFunc(rows, func(x, y panelRow) int { return cmp.Compare(y.at, x.at) })
	return rows[:min(len(rows), panelRows)]
}

// foundRow returns the object of a kind and id of any account, however old it is. The caller holds the lock.
func (s *Server) foundRow(kind, id string, fill func(object, *panelRow)) []panelRow {
	for _, a := range s.accounts {
		if o := a.get(kind, id); o != nil {
			return []panelRow{row(a, o, fill)}
		}
	}
	return nil
}

func row(a *account, o object, fill func(object, *panelRow)) panelRow {
	at := o.num("created")
	r := panelRow{ID: o.str("id"), Intent: o.str("payment_intent"), Account: a.Name, at: at,
		At: time.Unix(at, 0).UTC().Format("2 Jan 2006 15:04:05"), Amount: amountText(o.num("amount"), o.str("currency"), "en")}
	fill(o, &r)
	return r
}

func paymentRow(o object, r *panelRow) {
	r.Status, r.What = o.str("status"), or(o.str("description"), o.obj("billing_details").str("name"))
	refunded := o.num("amount_refunded")
	switch {
	case o.flag("disputed"):
		r.Status = "disputed"
	case o.flag("refunded"):
		r.Status = "refunded"
	case refunded > 0:
		r.Status = "refunded " + amountText(refunded, o.str("currency"), "en")
	}
	if o.str("status") == "succeeded" && !o.flag("refunded") && !o.flag("disputed") {
		r.Can = []string{"refund", "dispute"}
	}
}

// planRow fills the row of a subscription: its amount and the date of its renewal.
func planRow(o object, r *panelRow) {
	r.Status, r.Amount = o.str("status"), amountText(sum(itemsOf(o)), o.str("currency"), "en")
	r.What = "renews " + time.Unix(o.num("current_period_end"), 0).UTC().Format("2 Jan 2006 15:04")
	switch {
	case r.Status == "canceled":
		r.What = "ended " + time.Unix(o.num("ended_at"), 0).UTC().Format("2 Jan 2006 15:04")
		return
	case o.flag("cancel_at_period_end"):
		r.What, r.Ends = "ends "+time.Unix(o.num("current_period_end"), 0).UTC().Format("2 Jan 2006 15:04"), true
	case o["schedule"] != nil && o.num("cancel_at") > 0:
		r.What += ", ends " + time.Unix(o.num("cancel_at"), 0).UTC().Format("2 Jan 2006")
	}
	if o["pause_collection"] != nil {
		r.Status = "paused"
	}
	r.Can = []string{"fail", "lost", "heal"}
}

func disputeRow(o object, r *panelRow) {
	r.Status, r.What = o.str("status"), o.str("reason")
	switch r.Status {
	case "needs_response":
		r.Can = []string{"won", "lost"}
	case "warning_needs_response":
		r.Can = []string{"escalated", "closed"}
	}
}

func eventRow(o object, r *panelRow) {
	r.What, r.Status = o.str("type"), "delivered"
	if o.num("pending_webhooks") > 0 {
		r.Status = "not delivered"
	}
}
