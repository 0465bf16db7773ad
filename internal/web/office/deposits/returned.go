package deposits

import (
	"net/http"
	"net/url"

	"github.com/jmoiron/sqlx"

	"konbit/internal/office/bank"
	"konbit/internal/office/deposit"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// ReturnedPage says which check a line of the bank took back.
type ReturnedPage struct {
	desk.Page
	Errors []view.FormError
	Says   string // the line: day, text, amount
	Checks []Item
	Wrong  string // what is wrong with the choice; may be empty
	Fee    string // the rest of the line, which is the bank's fee; empty: none
	Action string // empty: the reader changes nothing
	Line   string
	Back   string // the bank's lines
	Choose bool   // the address names no line
}

// returnedLine is a line of the bank that took money, with the checks that it may have taken back.
type returnedLine struct {
	account bank.Account
	line    bank.Line
	checks  []deposit.Line
	fee     int64 // of the line, in minor units: what is more than the checks; negative
}

// lineOf reads the line that an address names (?line=), and the checks that it may be: those of its amount, or, if there are none and it names
// the number of one, that one with the rest as a fee.
func (a *Area) lineOf(r *http.Request, v web.StaffVisit, tx *sqlx.Tx, name string) (l returnedLine, err error) {
	part, err := bank.ParsePart(name)
	if err != nil || v.Organisation != nil {
		return l, web.NotFound()
	}
	if l.line, err = bank.LineByID(r.Context(), tx, v.Entity.ID, part); fault.Is(err, fault.NotFound) || err == nil && l.line.Amount >= 0 {
		return l, web.NotFound()
	}
	if err != nil {
		return l, err
	}
	accounts, err := bank.AccountsOf(r.Context(), tx, v.Entity.ID)
	if err != nil {
		return l, err
	}
	for _, account := range accounts {
		if account.ID == l.line.AccountID {
			l.account = account
		}
	}
	text := l.line.Text + " " + l.line.Reference
	if l.checks, err = deposit.Candidates(r.Context(), tx, l.account, -l.line.Amount, text); err != nil || len(l.checks) > 0 {
		return l, err
	}
	named, found, err := deposit.Named(r.Context(), tx, l.account, -l.line.Amount, text)
	if found {
		l.checks, l.fee = []deposit.Line{named}, l.line.Amount+named.Minor
	}
	return l, err
}

func (a *Area) returnedGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	return a.showReturned(w, r, v, r.URL.Query().Get("line"), nil)
}

func (a *Area) showReturned(w http.ResponseWriter, r *http.Request, v web.StaffVisit, line string, problems []fault.Field) error {
	if line == "" {
		p := ReturnedPage{Page: a.PageOf(r, v, "deposits"), Says: a.say(v, "office.returned.choose"), Back: v.Path("bank"), Choose: true}
		return a.Write(w, http.StatusOK, "deposit_returned", v.Language, p)
	}
	var l returnedLine
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		l, err = a.lineOf(r, v, tx, line)
		return err
	})
	if err != nil {
		return err
	}
	p := ReturnedPage{Page: a.PageOf(r, v, "deposits"), Line: line, Back: v.Path("bank/"+l.account.Slug+"/lines") + "?month=" + l.line.BookedOn.String()[:7]}
	p.Problems = problems
	f := p.Page.Form(a.View)
	p.Wrong = f.ErrorText("check")
	p.Errors = desk.ErrorsOf(f, v.Language, a.View, view.Field{FieldText: view.FieldText{Name: "check", Label: a.say(v, "office.returned.which")}})
	p.Says = a.say(v, "office.returned.line", "day", a.dayText(v, l.line.BookedOn), "text", l.line.Text, "amount", money.New(l.line.Amount, l.account.Currency))
	for _, c := range l.checks {
		p.Checks = append(p.Checks, Item{ID: c.PublicRef, Label: a.itemName(v, c), Soft: a.itemSoft(v, c), Amount: c.Amount()})
	}
	if l.fee != 0 {
		p.Fee = a.say(v, "office.returned.fee", "amount", money.New(-l.fee, l.account.Currency))
	}
	if mayAct(v) {
		p.Action = v.Path("deposits/returned") + "?" + url.Values{"line": {line}}.Encode()
	}
	return a.Write(w, status(problems), "deposit_returned", v.Language, p)
}

// returnedPost matches the line with the check that was chosen, and with the bank's fee, if the line is of more.
func (a *Area) returnedPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	line, chosen := r.URL.Query().Get("line"), r.PostForm.Get("check")
	if line == "" {
		return web.NotFound()
	}
	if chosen == "" {
		return a.showReturned(w, r, v, line, []fault.Field{{Name: "check", Phrase: "office.returned.error.check"}})
	}
	var back string
	problems, err := a.write(r, v, func(tx *sqlx.Tx) error {
		l, err := a.lineOf(r, v, tx, line)
		if err != nil {
			return err
		}
		back = v.Path("bank/"+l.account.Slug+"/lines") + "?month=" + l.line.BookedOn.String()[:7]
		part, err := bank.ParsePart(line)
		if err != nil {
			return web.NotFound()
		}
		o := bank.Order{Account: l.account.Slug, Lines: []bank.Part{part}, Items: []bank.Chosen{{Item: "returned:" + chosen}}}
		if l.fee != 0 {
			o.Items = append(o.Items, bank.Chosen{Item: bank.Fee, Amount: l.fee})
		}
		_, err = a.Bank.MatchTx(r.Context(), tx, v.Catalog, v.Entity.ID, o)
		return err
	})
	switch {
	case err != nil:
		return err
	case len(problems) > 0:
		return a.showReturned(w, r, v, line, problems)
	}
	return desk.Redirect(w, r, back)
}
