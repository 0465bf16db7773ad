package stripefake

import (
	"embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

//go:embed page/*
var files embed.FS

var styleSheets = template.Must(template.ParseFS(files, "page/*.html"))

// pages registers the hosted pages.
func (s *Server) pages() {
	s.mux.HandleFunc("GET /c/style.css", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "page/style.css") })
	s.mux.HandleFunc("GET /c/pay/{id}", s.showPage)
	s.mux.HandleFunc("POST /c/pay/{id}", s.postPage)
	s.mux.HandleFunc("GET /c/invoice/{id}", s.showInvoice)
	s.mux.HandleFunc("POST /c/invoice/{id}", s.postInvoice)
	s.mux.HandleFunc("GET /c/portal/{id}", s.showPortal)
	s.mux.HandleFunc("POST /c/portal/{id}", s.postPortal)
	s.mux.HandleFunc("GET /c/pay/{id}/authenticate", s.showPage)
	s.mux.HandleFunc("POST /c/pay/{id}/authenticate", s.postAuthenticate)
}

// payPage is the data of page/pay.html.
type payPage struct {
	Lang    string
	W       pageText
	Step    string // "pay", "authenticate", "paid", "expired", "unknown"
	Action  string // address to which the form is sent
	Account string
	Lines   []payLine
	Total   string
	Note    string // the seller's custom text
	Bank    bool
	Card    Card
	Email   string
	Ask     bool // asks for the e-mail address
	Problem string
	Field   string // name of the invalid field; "" if the bank declined
	Back    string // cancel_url
	Next    string // success_url
}

type payLine struct{ Name, Amount string }

// showPage shows a session's page in its present state.
func (s *Server) showPage(w http.ResponseWriter, r *http.Request) {
	p, _ := s.atSession(r.PathValue("id"), func(*transaction, object, string) *apiError { return nil })
	atBank := strings.HasSuffix(r.URL.Path, "/authenticate")
	if (p.Step == "authenticate" && !atBank) || (p.Step == "pay" && atBank) {
		http.Redirect(w, r, p.Action, http.StatusSeeOther)
		return
	}
	show(w, p, closedStatus[p.Step])
}

// closedStatus is the HTTP status of a page on which nothing can be paid.
var closedStatus = map[string]int{"unknown": http.StatusNotFound, "expired": http.StatusGone}

// atSession calls do with a session and its present step, and returns the page with the result.
func (s *Server) atSession(id string, do func(t *transaction, cs object, step string) *apiError) (payPage, *apiError) {
	s.mu.Lock()
	defer s.unlock()
	s.runDue(s.now())
	a, cs := s.session(id)
	var problem *apiError
	if cs != nil {
		problem = do(s.newTransaction(a), cs, pageState(a, cs))
		s.dirty = true
	}
	return s.payPage(a, cs), problem
}

// session finds a session of any account. The caller holds the lock.
func (s *Server) session(id string) (*account, object) {
	for _, a := range s.accounts {
		if cs := a.get("checkout.session", id); cs != nil {
			return a, cs
		}
	}
	return nil, nil
}

func pageState(a *account, cs object) string {
	switch {
	case cs == nil:
		return "unknown"
	case cs.str("status") == "complete":
		return "paid"
	case cs.str("status") == "expired":
		return "expired"
	case intentOf(a, cs).str("status") == "requires_action":
		return "authenticate"
	}
	return "pay"
}

// payPage returns the data of a session's page. The caller holds the lock.
func (s *Server) payPage(a *account, cs object) payPage {
	lang := language(cs.str("locale"))
	p := payPage{Lang: lang, W: pageTextFor[lang], Step: pageState(a, cs)}
	if cs == nil {
		return p
	}
	if p.Action = "/c/pay/" + cs.str("id"); p.Step == "authenticate" {
		p.Action += "/authenticate"
	}
	p.Account, p.Back = or(a.Title, a.Name), cs.str("cancel_url")
	if cs.str("mode") != "setup" {
		p.Total = amountText(cs.num("amount_total"), cs.str("currency"), lang)
	}
	for _, line := range lines(a, cs) {
		line := line.(object) // type made by readLines
		name := line.str("description")
		if n := line.num("quantity"); n > 1 {
			name = strconv.FormatInt(n, 10) + " × " + name
		}
		amount := amountText(line.num("amount_total"), cs.str("currency"), lang)
		if every := line.obj("price").obj("recurring"); every != nil {
			amount += " " + p.W.every(every.str("interval"), every.num("interval_count"))
		}
		p.Lines = append(p.Lines, payLine{name, amount})
	}
	p.Note = cs.obj("custom_text").obj("submit").str("message")
	for _, method := range cs["payment_method_types"].([]any) { // type made by createSession
		p.Bank = p.Bank || method == "us_bank_account"
	}
	p.Email = cs.obj("customer_details").str("email")
	p.Ask = p.Email == ""
	if p.Step == "paid" {
		p.Next = successURL(cs)
	}
	return p
}

// postPage pays by card or bank and redirects. If that fails, it shows the page again with the message and
// the typed values except the security code.
func (s *Server) postPage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	in := Card{Number: r.PostFormValue("card_number"), Exp: r.PostFormValue("exp"), CVC: r.PostFormValue("cvc"), Name: r.PostFormValue("name")}
	order := paymentOrder{card: in, email: r.PostFormValue("email"), bank: r.PostFormValue("bank")}
	p, problem := s.atSession(r.PathValue("id"), func(t *transaction, cs object, step string) *apiError {
		if step != "pay" {
			return nil
		}
		return t.payOrder(cs, order)
	})
	switch {
	case problem != nil:
		in.CVC = ""
		p.Card, p.Problem, p.Field = in, p.W.problem(problem), problem.param
		if p.Ask {
			p.Email = order.email
		}
		show(w, p, http.StatusPaymentRequired)
	case p.Step == "paid":
		http.Redirect(w, r, p.Next, http.StatusSeeOther)
	case p.Step == "authenticate":
		http.Redirect(w, r, p.Action, http.StatusSeeOther)
	default:
		show(w, p, closedStatus[p.Step])
	}
}

// postAuthenticate applies the payer's answer on the bank's page.
func (s *Server) postAuthenticate(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	agreed := r.PostFormValue("answer") == "complete"
	p, problem := s.atSession(r.PathValue("id"), func(t *transaction, cs object, step string) *apiError {
		if step != "authenticate" {
			return nil
		}
		return t.authenticated(cs, agreed)
	})
	if p.Step == "paid" {
		http.Redirect(w, r, p.Next, http.StatusSeeOther)
		return
	}
	if problem == nil {
		http.Redirect(w, r, "/c/pay/"+r.PathValue("id"), http.StatusSeeOther)
		return
	}
	p.Problem = p.W.problem(problem)
	show(w, p, http.StatusPaymentRequired)
}

// paymentOrder is a payer's submitted form.
type paymentOrder struct {
	card  Card
	email string
	bank  string // "pays" or "fails": bank debit instead of a card
}

// payOrder pays a session. The error is an invalid field or a decline.
func (t *transaction) payOrder(cs object, o paymentOrder) *apiError {
	var who payer
	switch o.bank {
	case "pays":
		who = payer{method: "us_bank_account", number: "000123456789", name: o.card.Name}
	case "fails":
		who = payer{method: "us_bank_account", number: "000111111116", name: o.card.Name, bounces: true}
	default:
		var bad *apiError
		if who, bad = readCard(o.card, t.s.now()); bad != nil {
			return bad
		}
	}
	if who.email = cs.obj("customer_details").str("email"); who.email == "" {
		if who.email = strings.TrimSpace(o.email); who.email != "" && !validEmail(who.email) {
			return fieldError("email_invalid", "email", "Your email is invalid.")
		}
	}
	return t.attempt(cs, who)
}

// show writes the payment page; status 0 means 200.
func show(w http.ResponseWriter, p payPage, status int) { write(w, "pay.html", p, status) }

// write writes a page that loads nothing from other hosts and runs no script.
func write(w http.ResponseWriter, sheet string, data any, status int) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if status != 0 {
		w.WriteHeader(status)
	}
	_ = styleSheets.ExecuteTemplate(w, sheet, data) // an error means that the reader has closed the connection
}
