package bank

import (
	"net/http"
	"strconv"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/office/bank"
	"konbit/internal/people/approval"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// ListPage is the list of accounts.
type ListPage struct {
	desk.Page
	List   desk.List
	Stripe string // address of the proof against Stripe
}

func (a *Area) listGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	if v.Organisation != nil {
		return web.NotFound()
	}
	p := ListPage{Page: a.PageOf(r, v, "bank"), List: desk.List{Empty: a.say(v, "office.bank.empty"), Table: desk.Table{Caption: a.say(v, "office.nav.bank"),
		Columns: []desk.Column{{Name: "account", Label: a.say(v, "office.bank.account")}, {Name: "name", Label: a.say(v, "office.bank.name"), Wide: true},
			{Name: "statement", Label: a.say(v, "office.bank.on_statement"), Number: true}, {Name: "book", Label: a.say(v, "office.bank.in_books"),
				Number: true},
			{Name: "open", Label: a.say(v, "office.bank.open_lines"), Number: true}}}}}
	month := a.monthOf(r, v)
	open := 0
	err := a.Read(r, v, func(tx *sqlx.Tx) error {
		accounts, err := bank.AccountsOf(r.Context(), tx, v.Entity.ID)
		for _, account := range accounts {
			proof, err := bank.ProofOf(r.Context(), tx, account, month)
			if err != nil {
				return err
			}
			open += len(proof.Open)
			p.List.Table.Rows = append(p.List.Table.Rows, desk.Row{URL: pathOf(v, account, ""), Cells: []desk.Cell{{Text: account.Slug},
				{Text: account.Name, Soft: a.say(v, "office.bank.ends", "digits", account.Last4) + " · " + a.say(v,
					"office.bank.holds."+string(account.Holds))},
				desk.AmountCell(proof.Amount(proof.Closing)), desk.AmountCell(proof.Amount(proof.Book)), {Text: strconv.Itoa(len(proof.Open))}}})
		}
		return err
	})
	if err != nil {
		return err
	}
	p.List.Says, p.Stripe = a.View.PhraseN(v.Language, "office.bank.says", open), v.Path("bank/"+stripeAccount+"/"+month.String())
	if done, err := a.WriteFile(w, r, v, "bank", p.List.Table); done || err != nil {
		return err
	}
	return a.Write(w, http.StatusOK, "bank", v.Language, p)
}

// AccountPage is an account with its months.
type AccountPage struct {
	desk.Page
	Account  bank.Account
	Title    string
	Says     string
	Lines    string // addresses
	Files    string
	Months   desk.Table
	Rules    desk.Table
	Openings desk.Table
	Waits    string // address of an open request for an opening
	Form     *OpeningForm
	Errors   []view.FormError
}

// OpeningForm asks for an opening.
type OpeningForm struct {
	Action, Submission string
	On                 view.Field
	Funds              []view.Field
	Factor             desk.Factor
}

// months is how many months the page of an account shows.
const months = 13

func (a *Area) accountGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	return a.writeAccount(w, r, v, openingTyped{}, desk.Proof{}, nil)
}

// openingTyped is what was typed in the form of an opening.
type openingTyped struct {
	on, submission string
	funds          map[string]string // by code
}

func (a *Area) writeAccount(w http.ResponseWriter, r *http.Request, v web.StaffVisit, in openingTyped, proof desk.Proof, problems []fault.Field) error {
	p := AccountPage{Page: a.PageOf(r, v, "bank")}
	p.Problems = append(problems, proof.Problems...)
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if p.Account, err = a.account(r.Context(), tx, r, v); err != nil {
			return err
		}
		if err := a.readMonths(r, tx, v, &p); err != nil {
			return err
		}
		if err := a.readRules(r, tx, v, &p); err != nil {
			return err
		}
		open, err := approval.OpenOf(r.Context(), tx, v.Entity.ID)
		for _, q := range open {
			if o, err := bank.ReadOpening(q.Body); q.Kind == approval.Opening && err == nil && o.Account == p.Account.Slug {
				p.Waits = v.Path("approvals/" + q.ID.String())
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	p.Title = a.say(v, "office.bank.title", "name", p.Account.Name, "digits", p.Account.Last4)
	p.Lines, p.Files = pathOf(v, p.Account, "/lines"), pathOf(v, p.Account, "/files")
	if a.mayAct(v) && p.Waits == "" {
		if err := a.openingForm(r, v, &p, in, proof); err != nil {
			return err
		}
	}
	return a.Write(w, desk.StatusOf(p.Problems), "bank_account", v.Language, p)
}

func (a *Area) readMonths(r *http.Request, tx *sqlx.Tx, v web.StaffVisit, p *AccountPage) error {
	p.Months = desk.Table{Caption: a.say(v, "office.bank.months"), Columns: []desk.Column{{Name: "month", Label: a.say(v, "office.bank.month_label")},
		{Name: "closing", Label: a.say(v, "office.bank.on_statement"), Number: true}, {Name: "book", Label: a.say(v, "office.bank.in_books"), Number: true},
		{Name: "open", Label: a.say(v, "office.bank.open_lines"), Number: true}, {Name: "state", Label: a.say(v, "office.bank.state")}}}
	for i := range months {
		m := a.monthOf(r, v).Next(-i)
		proof, err := bank.ProofOf(r.Context(), tx, p.Account, m)
		if err != nil {
			return err
		}
		if i == 0 {
			p.Says = a.View.PhraseN(v.Language, "office.bank.says", len(proof.Open))
		}
		if len(proof.Kinds) == 0 && i > 0 {
			continue
		}
		p.Months.Rows = append(p.Months.Rows, desk.Row{URL: pathOf(v, p.Account, "/"+m.String()), Cells: []desk.Cell{{Text: a.monthName(v, m),
			File: m.String()},
			desk.AmountCell(proof.Amount(proof.Closing)), desk.AmountCell(proof.Amount(proof.Book)), {Text: strconv.Itoa(openOf(proof))}, a.stateOf(v, proof)}})
	}
	return nil
}

// openOf returns how many lines of the month itself are open.
func openOf(p bank.Proof) (n int) {
	for _, k := range p.Kinds {
		if k.Kind == "" {
			n = k.Lines
		}
	}
	return n
}

// stateOf returns the state of a month: explained, open, or with a gap.
func (a *Area) stateOf(v web.StaffVisit, p bank.Proof) desk.Cell {
	switch {
	case p.Sums.Difference != 0:
		return desk.Cell{Text: a.say(v, "office.bank.state.differs"), State: "bad", File: "differs"}
	case openOf(p) > 0:
		return desk.Cell{Text: a.say(v, "office.bank.state.open"), State: "hold", File: "open"}
	case len(p.Gaps) > 0:
		return desk.Cell{Text: a.say(v, "office.bank.state.gap"), State: "hold", File: "gap"}
	}
	return desk.Cell{Text: a.say(v, "office.bank.state.explained"), State: "good", File: "explained"}
}

func (a *Area) readRules(r *http.Request, tx *sqlx.Tx, v web.StaffVisit, p *AccountPage) error {
	rules, err := bank.RulesOf(r.Context(), tx, p.Account.ID)
	if err != nil {
		return err
	}
	p.Rules = desk.Table{Caption: a.say(v, "office.bank.rules"), Columns: []desk.Column{{Name: "words", Label: a.say(v, "office.bank.rule.words"), Wide: true},
		{Name: "items", Label: a.say(v, "office.bank.rule.items"), Wide: true}, {Name: "lines", Label: a.say(v, "office.bank.rule.did"), Number: true},
		{Name: "state", Label: a.say(v, "office.bank.state")}}}
	for _, rule := range rules {
		state := desk.Cell{Text: a.say(v, "office.bank.rule.live"), State: "good", File: "live"}
		if rule.EndedAt != nil {
			state = desk.Cell{Text: a.say(v, "office.bank.rule.ended"), State: "plain", File: "ended"}
		}
		p.Rules.Rows = append(p.Rules.Rows, desk.Row{URL: pathOf(v, p.Account, "/rule?id="+rule.ID.String()), Cells: []desk.Cell{{Text: rule.Words},
			{Text: a.partsWords(v, rule)}, {Text: strconv.Itoa(rule.Matches)}, state}})
	}
	openings, err := bank.OpeningsOf(r.Context(), tx, p.Account.ID)
	p.Openings = desk.Table{Caption: a.say(v, "office.bank.openings"), Columns: []desk.Column{{Name: "day", Label: a.say(v, "office.today.day")},
		{Name: "amount", Label: a.say(v, "office.today.amount"), Number: true}}}
	for _, o := range openings {
		p.Openings.Rows = append(p.Openings.Rows, desk.Row{Cells: []desk.Cell{{Day: midnight(o.On)}, desk.AmountCell(p.Account.Amount(o.Amount))}})
	}
	return err
}

func (a *Area) openingForm(r *http.Request, v web.StaffVisit, p *AccountPage, in openingTyped, proof desk.Proof) error {
	form := p.Page.Form(a.View)
	f := &OpeningForm{Action: pathOf(v, p.Account, ""), Submission: in.submission, On: desk.Field(form, a.View, "on", in.on,
		view.Field{Type: "date", Required: true})}
	f.On.Label = a.say(v, "office.bank.opening.on")
	if f.Submission == "" {
		f.Submission = a.NewID().String()
	}
	for _, of := range a.fundsOf(v) {
		field := desk.Field(form, a.View, "fund-"+of.Code, in.funds[of.Code], view.Field{Mode: "decimal", HideOptional: true})
		field.Label = of.Name.In(v.Language)
		f.Funds = append(f.Funds, field)
	}
	factor, err := a.MoneyFactorOf(r, v, proof, false)
	f.Factor = factor
	p.Form, p.Errors = f, desk.ErrorsOf(form, v.Language, a.View, append([]view.Field{f.On}, f.Funds...)...)
	return err
}

// fundsOf returns the funds of the entity, its operations first.
func (a *Area) fundsOf(v web.StaffVisit) (all []fund.Fund) {
	if operations, err := v.Catalog.Operations(v.Entity.ID); err == nil {
		all = append(all, operations)
	}
	for _, o := range v.Catalog.Organisations() {
		if o.EntityID == v.Entity.ID {
			all = append(all, v.Catalog.FundsOf(o.ID)...)
		}
	}
	return all
}

// openingPost asks a second person to book what was in the account. The same form sent again is the same request.
func (a *Area) openingPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	in := openingTyped{on: r.PostForm.Get("on"), submission: r.PostForm.Get("submission"), funds: map[string]string{}}
	var account bank.Account
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		account, err = a.account(r.Context(), tx, r, v)
		return err
	})
	if err != nil {
		return err
	}
	o := bank.Opening{EntityID: v.Entity.ID, Account: account.Slug, Currency: account.Currency}
	var problems []fault.Field
	if m, err := parseDay(in.on); err == nil {
		o.On = m
	} else {
		problems = append(problems, fault.Field{Name: "on", Phrase: "office.bank.problem.day"})
	}
	for _, f := range a.fundsOf(v) {
		typed := r.PostForm.Get("fund-" + f.Code)
		if in.funds[f.Code] = typed; typed == "" {
			continue
		}
		amount, err := money.Parse(typed, account.Currency, string(v.Language))
		if err != nil {
			problems = append(problems, fault.Field{Name: "fund-" + f.Code, Phrase: "office.bank.problem.typed_amount"})
		} else if amount.Minor != 0 {
			o.Parts = append(o.Parts, bank.OpeningPart{Fund: f.Code, Amount: amount.Minor})
		}
	}
	submission, err := uuid.Parse(in.submission)
	if err != nil {
		return desk.Redirect(w, r, pathOf(v, account, ""))
	}
	if len(problems) == 0 && len(o.Parts) == 0 {
		problems = append(problems, fault.Field{Name: "on", Phrase: "office.bank.problem.no_amount"})
	}
	if problems != nil {
		return a.writeAccount(w, r, v, in, desk.Proof{}, problems)
	}
	ask := o.RequestOf(uuid.NewSHA1(submission, []byte("bank opening request")), uuid.NewSHA1(submission, []byte("bank opening")), v.StaffID)
	proof, err := a.ProveMoney(r, &v, ask.Text())
	if err != nil {
		return err
	}
	if !proof.OK {
		return a.writeAccount(w, r, v, in, proof, nil)
	}
	err = a.write(r, v, func(tx *sqlx.Tx) error { return approval.RequestTx(r.Context(), tx, ask, nil) })
	if rule := approval.Refused(err); rule != "" && rule != "approval_request_pkey" {
		return a.writeAccount(w, r, v, in, desk.Proof{}, []fault.Field{{Name: "on", Phrase: "office.rule." + rule}})
	} else if err != nil && rule == "" {
		return err
	}
	return desk.Redirect(w, r, v.Path("approvals/"+ask.ID.String()))
}

func parseDay(text string) (ledger.Date, error) {
	at, err := timeOf(text)
	if err != nil {
		return ledger.Date{}, err
	}
	return ledger.DateOf(at, at.Location()), nil
}
