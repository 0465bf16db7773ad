package stripefake

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The requests of the panel, as JSON or as a form with the same names.
type (
	clockRequest  struct{ Advance string }
	refundRequest struct {
		PaymentIntent string `json:"payment_intent"`
		Amount        int64  // 0: the whole remainder
		Refund        string // with Fail: this refund fails
		Fail          bool
	}
	disputeRequest struct {
		PaymentIntent string `json:"payment_intent"`
		Reason        string // default "fraudulent"
		Inquiry       bool
		Amount        int64 // in minor units; 0: what is not refunded
		Dispute       string
		Outcome       string
	}
	payoutRequest struct {
		Account string // empty: all accounts
		Payout  string // with Fail: this payout fails
		Fail    bool
		Manual  int64 // amount in minor units of USD: makes a manual payout from Account
		Instant bool  // with Manual: an instant payout
	}
	adjustRequest struct {
		Account     string
		Type        string // Stripe's type, or an unknown one
		Category    string // reporting_category; default "other_adjustment"
		Amount      int64
		Currency    string
		Description string
	}
	resendRequest struct {
		Event string
		Times int
	}
	modeAsk             struct{ Mode Mode }
	subscriptionRequest struct {
		Subscription string
		Do           string // price, end, keep, pause, resume or cancel
		Amount       int64  // with price: of each charge, in minor units
	}
)

// panel registers the panel: a page for people, and POST with JSON for scripts.
func (s *Server) panel() {
	guard := http.NewCrossOriginProtection()
	post := func(name string, h http.HandlerFunc) { s.mux.Handle("POST /_sandbox/"+name, guard.Handler(h)) }
	post("clock", panelAction(s, s.panelClock))
	post("refund", panelAction(s, s.panelRefund))
	post("balance", panelAction(s, s.panelBalance))
	post("dispute", panelAction(s, s.panelDispute))
	post("card", panelAction(s, s.panelCard))
	post("payout", panelAction(s, s.panelPayout))
	post("adjust", panelAction(s, s.panelAdjust))
	post("bank", panelAction(s, s.panelBank))
	s.mux.HandleFunc("GET /_sandbox/bank", s.serveBank)
	post("resend", panelAction(s, s.panelResend))
	post("webhooks", panelAction(s, s.panelMode))
	post("subscription", panelAction(s, s.panelSubscription))
	post("faults", panelAction(s, func(in Faults) (any, error) { return in, s.SetFaults(in) }))
	s.mux.HandleFunc("GET /_sandbox/state", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, s.State()) })
	s.mux.HandleFunc("GET /_sandbox/clock", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, object{"now": s.Now().Unix()}) })
	s.mux.HandleFunc("GET /_sandbox/payout_report", s.payoutReport)
	s.mux.Handle(HistoryAPI+"/v1/", http.StripPrefix(HistoryAPI, http.HandlerFunc(s.serveHistory)))
	s.mux.HandleFunc("GET "+HistoryAPI, func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, s.HistoryProgress()) })
	s.mux.HandleFunc("GET /_sandbox/{$}", func(w http.ResponseWriter, r *http.Request) {
		s.showPanel(w, "", strings.TrimSpace(r.URL.Query().Get("event")), http.StatusOK)
	})
	s.mux.Handle("GET /{$}", http.RedirectHandler("/_sandbox/", http.StatusSeeOther))
	s.mux.Handle("GET /_sandbox", http.RedirectHandler("/_sandbox/", http.StatusSeeOther))
}

// panelAction returns a handler that reads the request, calls do and answers with JSON for a script or the
// panel's page for a form.
func panelAction[T any](s *Server, do func(T) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		form := kind == "application/x-www-form-urlencoded" && strings.Contains(r.Header.Get("Accept"), "text/html")
		var in T
		err := readRequest(r, kind, &in)
		var out any
		if err == nil {
			out, err = do(in)
		}
		switch {
		case err != nil && form:
			s.showPanel(w, err.Error(), "", statusOf(err))
		case err != nil:
			reply(w, statusOf(err), object{"error": err.Error()})
		case form:
			http.Redirect(w, r, "/_sandbox/", http.StatusSeeOther)
		default:
			reply(w, http.StatusOK, out)
		}
	}
}

// readRequest reads the request strictly as JSON. It first turns a form body of any content type into
// the same JSON.
func readRequest(r *http.Request, kind string, in any) error {
	var body bytes.Buffer
	if _, err := body.ReadFrom(r.Body); err != nil {
		return err
	}
	raw := bytes.TrimSpace(body.Bytes())
	if kind == "application/x-www-form-urlencoded" && !bytes.HasPrefix(raw, []byte("{")) {
		form, err := url.ParseQuery(string(raw))
		if err != nil {
			return err
		}
		raw = formAsJSON(form)
	}
	if len(raw) == 0 {
		raw = []byte("{}")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(in); err != nil {
		return fmt.Errorf("the panel cannot read this: %w", err)
	}
	return nil
}

// formAsJSON returns a form's fields as JSON, with numbers and booleans as such and without empty fields.
func formAsJSON(form url.Values) []byte {
	fields := map[string]any{}
	for key, values := range form {
		_, notNumber := strconv.ParseFloat(values[0], 64)
		switch {
		case key == "kinds":
			fields[key] = values
		case values[0] == "":
		case notNumber == nil:
			fields[key] = json.Number(values[0])
		case values[0] == "true":
			fields[key] = true
		default:
			fields[key] = values[0]
		}
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return []byte("{")
	}
	return raw
}

func statusOf(err error) int {
	var e *apiError
	if errors.As(err, &e) {
		return e.status
	}
	return http.StatusBadRequest
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // an error means that the reader has closed the connection
}

// panelMode sets the mode. Deliveries that wait because of Hold are sent, unless Hold is set again.
func (s *Server) panelMode(in modeAsk) (any, error) {
	err := s.SetMode(in.Mode)
	if err == nil && in.Mode != Hold {
		s.sender.releaseHeld()
	}
	return in, err
}

func (s *Server) panelClock(in clockRequest) (any, error) {
	d, err := time.ParseDuration(in.Advance)
	if err != nil || d < 0 {
		return nil, errors.New(`"advance" is a duration ahead, like "720h"; the clock does not go back`)
	}
	s.Advance(d)
	return object{"now": s.Now().Unix(), "advanced": d.String()}, nil
}

// findObject finds an object and its account.
func (s *Server) findObject(kind, id string) (*transaction, object, error) {
	for _, a := range s.accounts {
		if o := a.get(kind, id); o != nil {
			s.dirty = true
			return s.newTransaction(a), o, nil
		}
	}
	return nil, nil, &apiError{status: http.StatusNotFound, message: fmt.Sprintf("no %s is called %q", strings.ReplaceAll(kind, "_", " "), id)}
}

func (s *Server) panelRefund(in refundRequest) (any, error) {
	s.mu.Lock()
	defer s.unlock()
	s.runDue(s.now())
	if in.Fail {
		t, re, err := s.findObject("refund", in.Refund)
		if err != nil {
			return nil, err
		}
		return re.with(nil), orNil(t.failRefund(re))
	}
	t, pi, err := s.findObject("payment_intent", in.PaymentIntent)
	if err != nil {
		return nil, err
	}
	ch, err := t.chargeOf("", pi.str("id"))
	if err != nil || in.Amount < 0 {
		return nil, cmp.Or(err, errors.New(`"amount" is the amount to refund in minor units; leave it out for the whole remainder`))
	}
	re, bad := t.refund(ch, in.Amount, "requested_by_customer", object{})
	return re.with(nil), orNil(bad)
}

func (s *Server) panelDispute(in disputeRequest) (any, error) {
	s.mu.Lock()
	defer s.unlock()
	s.runDue(s.now())
	if in.Dispute != "" {
		t, dp, err := s.findObject("dispute", in.Dispute)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(outcomes, in.Outcome) {
			return nil, fmt.Errorf(`"outcome" is one of %s`, strings.Join(outcomes, ", "))
		}
		return dp.with(nil), orNil(t.closeDispute(dp, in.Outcome))
	}
	t, pi, err := s.findObject("payment_intent", in.PaymentIntent)
	if err != nil {
		return nil, err
	}
	ch, err := t.chargeOf("", pi.str("id"))
	if err != nil {
		return nil, err
	}
	dp, bad := t.openDispute(ch, disputeRequest{Reason: or(in.Reason, "fraudulent"), Inquiry: in.Inquiry, Amount: in.Amount})
	return dp.with(nil), orNil(bad)
}

func (s *Server) panelPayout(in payoutRequest) (any, error) {
	s.mu.Lock()
	defer s.unlock()
	s.runDue(s.now())
	if in.Fail {
		t, po, err := s.findObject("payout", in.Payout)
		if err != nil {
			return nil, err
		}
		return po.with(nil), orNil(t.failPayout(po))
	}
	sent := []object{}
	for _, a := range s.accounts {
		if in.Manual != 0 && in.Account == a.Name {
			method := "standard"
			if in.Instant {
				method = "instant"
			}
			po := s.newTransaction(a).makePayout(payoutTerms{method: method, amount: in.Manual, currency: "usd", descriptor: "BY HAND"})
			return object{"payouts": []object{po.with(object{"account": a.Name})}}, nil
		}
		if in.Manual == 0 && (in.Account == "" || in.Account == a.Name) {
			for _, po := range s.newTransaction(a).payOut() {
				sent = append(sent, po.with(object{"account": a.Name}))
			}
		}
	}
	if len(sent) == 0 {
		return nil, &apiError{status: http.StatusConflict, message: "nothing can be paid out: what is available comes " +
			"to nothing or less; a payment's money becomes available two days later, so move the clock on first (49h)"}
	}
	return object{"payouts": sent}, nil
}

// categoryOf is Stripe's reporting category of a type, where it is not other_adjustment.
var categoryOf = map[string]string{"stripe_fee": "fee", "stripe_fx_fee": "fee", "tax_fee": "tax"}

// panelAdjust creates a balance transaction of any type: Stripe's fees, adjustments, unknown types.
func (s *Server) panelAdjust(in adjustRequest) (any, error) {
	s.mu.Lock()
	defer s.unlock()
	i := slices.IndexFunc(s.accounts, func(a *account) bool { return a.Name == in.Account })
	if i < 0 || in.Type == "" || in.Amount == 0 {
		return nil, errors.New(`an adjustment needs "account" (a known one), "type" and "amount" in minor units; "currency", "category" and "description" are optional`)
	}
	s.dirty = true
	t := s.newTransaction(s.accounts[i])
	return t.addBalanceEntry(balanceEntry{kind: in.Type, category: or(in.Category, or(categoryOf[in.Type], "other_adjustment")), amount: in.Amount,
		currency: strings.ToLower(or(in.Currency, "usd")),
		text:     orNull(in.Description), available: t.now}).with(nil), nil
}

func (s *Server) panelResend(in resendRequest) (any, error) {
	if in.Times < 0 || in.Times > 1000 {
		return nil, errors.New(`"times" is from 1 to 1000`)
	}
	sent, err := s.Resend(in.Event, max(in.Times, 1))
	if err != nil {
		return nil, &apiError{status: http.StatusNotFound, message: err.Error()}
	}
	return object{"event": in.Event, "deliveries": sent}, nil
}

// orNil converts a nil *apiError to a nil error; a plain conversion would give an error that is not nil.
func orNil(e *apiError) error {
	if e == nil {
		return nil
	}
	return e
}
