package deposits

import (
	"net/http"
	"strconv"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/office/bank"
	"konbit/internal/office/deposit"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/view"
	"konbit/internal/view/dossier"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// DepositPage is a deposit: what is ticked, and its slip.
type DepositPage struct {
	desk.Page
	Errors  []view.FormError
	N       int
	State   desk.Cell
	Says    string // how many items, and what they come to
	Where   string // to which account and when, or that it is not closed
	Back    string
	PDF     string // address of the slip; empty: an emergency access
	Match   string // address of the bank's lines; empty: no line has it
	Slip    desk.Table
	Items   []Item // what can be ticked; of an open deposit
	More    string // that more gifts wait than the page shows; may be empty
	Total   string // in minor units, as the page shows it
	Action  string // of the forms; empty: the reader changes nothing
	Account Choice
	On      view.Field
	Reopen  bool
}

// Item is a check or a gift in cash that can be ticked.
type Item struct {
	ID, Label, Soft string
	Amount          money.Amount
	Ticked          bool
}

func (a *Area) depositGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	return a.showDeposit(w, r, v, nil, typed{})
}

// typed is what was typed into the form that closes a deposit.
type typed struct{ account, on string }

func (a *Area) showDeposit(w http.ResponseWriter, r *http.Request, v web.StaffVisit, problems []fault.Field, t typed) error {
	var d deposit.Deposit
	var lines, waiting []deposit.Line
	var accounts []bank.Account
	var count int
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if d, err = a.depositOf(r, v, tx); err != nil {
			return err
		}
		if lines, err = deposit.LinesOf(r.Context(), tx, d.ID); err != nil || d.State() != deposit.Open {
			return err
		}
		if waiting, err = deposit.Waiting(r.Context(), tx, v.Entity.ID, d.Currency); err != nil {
			return err
		}
		if count, _, err = deposit.CountWaiting(r.Context(), tx, v.Entity.ID, d.Currency); err != nil {
			return err
		}
		accounts, err = bank.AccountsOf(r.Context(), tx, v.Entity.ID)
		return err
	})
	if err != nil {
		return err
	}
	p := a.page(r, v, d, lines)
	p.Problems = problems
	if d.State() == deposit.Open && mayAct(v) {
		a.fillOpen(v, &p, d, append(lines, waiting[:min(len(waiting), deposit.MaxItems-min(len(lines), deposit.MaxItems))]...), accounts, t)
		if left := len(lines) + count - len(p.Items); left > 0 {
			p.More = a.View.PhraseN(v.Language, "office.deposit.more", left)
		}
	}
	account := view.Field{FieldText: view.FieldText{Name: "account", Label: a.say(v, "office.deposit.account")}}
	p.Errors = desk.ErrorsOf(p.Page.Form(a.View), v.Language, a.View, p.On, account)
	return a.Write(w, status(problems), "deposit", v.Language, p)
}

// page returns what every reader sees of a deposit.
func (a *Area) page(r *http.Request, v web.StaffVisit, d deposit.Deposit, lines []deposit.Line) DepositPage {
	p := DepositPage{Page: a.PageOf(r, v, "deposits"), N: d.N, State: a.stateOf(v, d), Back: v.Path("deposits"), Slip: a.slipTable(v, d, lines)}
	p.Says = a.View.PhraseN(v.Language, "office.deposit.comes_to", d.Count(), "amount", d.Amount().FormatExact(string(v.Language)))
	switch d.State() {
	case deposit.Open:
		p.Where = a.say(v, "office.deposit.where.open")
	case deposit.Closed:
		p.Where = a.say(v, "office.deposit.where.closed", "account", d.Account, "day", a.dayText(v, *d.DepositedOn))
	case deposit.Booked:
		p.Where = a.say(v, "office.deposit.where.booked", "account", d.Account, "day", a.dayText(v, *d.DepositedOn), "booked", a.dayText(v, *d.BookedOn))
		p.Match = v.Path("bank/"+d.Account+"/lines") + "?month=" + d.BookedOn.String()[:7]
	}
	if !v.BreakGlass {
		p.PDF = depositPath(v, d.N) + "/slip"
	}
	if mayAct(v) {
		p.Action, p.Reopen = depositPath(v, d.N), d.State() == deposit.Closed
	}
	return p
}

// fillOpen fills the forms of an open deposit.
func (a *Area) fillOpen(v web.StaffVisit, p *DepositPage, d deposit.Deposit, lines []deposit.Line, accounts []bank.Account, t typed) {
	for _, l := range lines {
		p.Items = append(p.Items, Item{ID: l.GiftID.String(), Label: a.itemName(v, l), Soft: a.itemSoft(v, l), Amount: l.Amount(), Ticked: l.DepositID.Valid})
	}
	if t.on == "" {
		t.on = a.today(v).String()
	}
	f := p.Page.Form(a.View)
	p.Total = strconv.FormatInt(d.Amount().Minor, 10)
	p.Account = choose(f, accounts, d.Currency, t.account)
	p.On = view.Field{
		FieldText: view.FieldText{Name: "deposited_on", Label: a.say(v, "office.deposit.on"), Error: f.ErrorText("deposited_on")},
		Type:      "date", Value: t.on, HideOptional: true,
	}
}

// itemName says which check it is: its number and who gave it.
func (a *Area) itemName(v web.StaffVisit, l deposit.Line) string {
	payer := l.Payer
	if payer == "" {
		payer = a.say(v, "office.deposit.no_name")
	}
	if l.Method == deposit.Cash {
		return a.say(v, "office.deposit.cash_of", "payer", payer)
	}
	if l.Number == "" {
		return payer
	}
	return l.Number + " " + payer
}

// itemSoft says whence an item is.
func (a *Area) itemSoft(v web.StaffVisit, l deposit.Line) string {
	if l.Batch == nil {
		return a.dayText(v, l.ReceivedOn)
	}
	return a.say(v, "office.deposit.from_batch", "day", a.dayText(v, l.ReceivedOn), "batch", *l.Batch)
}

// slipTable returns the slip: one line for each check, cash as one line, and the total.
func (a *Area) slipTable(v web.StaffVisit, d deposit.Deposit, lines []deposit.Line) desk.Table {
	t := desk.Table{Caption: a.say(v, "office.deposit.slip", "n", d.N)}
	for _, name := range []string{"number", "payer", "amount", "came_back"} {
		t.Columns = append(t.Columns, desk.Column{Name: name, Label: a.say(v, "office.deposit.slip."+name), Number: name == "amount", Wide: name == "payer"})
	}
	for _, l := range lines {
		if l.Method != deposit.Check {
			continue
		}
		payer := desk.Cell{Text: l.Payer, URL: v.Path("gifts/" + l.PublicRef)}
		if l.Payer == "" {
			payer.Text = a.say(v, "office.deposit.no_name")
		}
		row := desk.Row{Cells: []desk.Cell{{Text: l.Number}, payer, desk.AmountCell(l.Amount()), {}}}
		if l.ReturnedBy.Valid {
			row.Cells[3] = desk.Cell{Text: a.say(v, "office.deposit.returned"), State: "bad", File: "returned"}
		}
		t.Rows = append(t.Rows, row)
	}
	if d.Cash > 0 {
		t.Rows = append(t.Rows, desk.Row{Cells: []desk.Cell{{}, {Text: a.View.PhraseN(v.Language, "office.deposit.cash", d.Cash)},
			desk.AmountCell(money.New(d.CashAmount, d.Currency)), {}}})
	}
	t.Total = []desk.Cell{{}, {Text: a.View.PhraseN(v.Language, "office.deposit.items", d.Count())}, desk.AmountCell(d.Amount()), {}}
	return t
}

// depositPost does what the button says: save, close, reopen or remove.
func (a *Area) depositPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	n, err := numberOf(r)
	if err != nil || v.Organisation != nil {
		return web.NotFound()
	}
	ctx, entity, form, to := r.Context(), v.Entity.ID, r.PostForm, depositPath(v, n)
	t := typed{form.Get("account"), form.Get("deposited_on")}
	var bad, problems []fault.Field
	switch form.Get("do") {
	case "save":
		gifts := make([]uuid.UUID, 0, len(form["item"]))
		for _, text := range form["item"] {
			id, err := uuid.Parse(text)
			if err != nil {
				return web.NotFound()
			}
			gifts = append(gifts, id)
		}
		problems, err = a.write(r, v, func(tx *sqlx.Tx) error { return deposit.SetTx(ctx, tx, entity, n, gifts) })
	case "reopen":
		problems, err = a.write(r, v, func(tx *sqlx.Tx) error { return deposit.ReopenTx(ctx, tx, entity, n) })
	case "remove":
		problems, err = a.write(r, v, func(tx *sqlx.Tx) error { return deposit.RemoveTx(ctx, tx, entity, n) })
		to = v.Path("deposits")
	default:
		if bad, problems, err = a.close(r, v, n, t); len(bad) > 0 {
			problems = bad
		}
	}
	switch {
	case err != nil:
		return err
	case len(problems) > 0:
		return a.showDeposit(w, r, v, problems, t)
	}
	return desk.Redirect(w, r, to)
}

// close closes a deposit as the form says. bad are fields that are wrong.
func (a *Area) close(r *http.Request, v web.StaffVisit, n int, t typed) (bad, problems []fault.Field, err error) {
	on, ok := a.readDay(v, t.on)
	if !ok {
		bad = append(bad, fault.Field{Name: "deposited_on", Phrase: "office.deposit.error.on"})
	}
	total, err := strconv.ParseInt(r.PostForm.Get("total"), 10, 64)
	if err != nil {
		total = -1
	}
	problems, err = a.write(r, v, func(tx *sqlx.Tx) error {
		account, err := bank.AccountOf(r.Context(), tx, v.Entity.ID, t.account)
		if fault.Is(err, fault.NotFound) {
			bad = append([]fault.Field{{Name: "account", Phrase: "office.deposit.error.account"}}, bad...)
			_, err = deposit.ByN(r.Context(), tx, v.Entity.ID, n)
			return err
		}
		if err != nil || len(bad) > 0 {
			return err
		}
		return deposit.CloseTx(r.Context(), tx, v.Entity.ID, n, account, on, total)
	})
	return bad, problems, err
}

// slipGet is the slip as a document, for the bank and for the file.
func (a *Area) slipGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	var d deposit.Deposit
	var lines []deposit.Line
	account, by := "", ""
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if d, err = a.depositOf(r, v, tx); err != nil {
			return err
		}
		if lines, err = deposit.LinesOf(r.Context(), tx, d.ID); err != nil {
			return err
		}
		if d.Account != "" {
			of, err := bank.AccountOf(r.Context(), tx, v.Entity.ID, d.Account)
			if err != nil {
				return err
			}
			account = of.Name + " ···· " + of.Last4
		}
		names, err := staff.NamesOf(r.Context(), tx, d.ClosedBy.UUID, d.CreatedBy.UUID)
		if by = names[d.CreatedBy.UUID]; d.ClosedBy.Valid {
			by = names[d.ClosedBy.UUID]
		}
		return err
	})
	if err != nil {
		return err
	}
	file, err := a.slip(v, d, lines, account, by).PDF(a.Fonts)
	if err != nil {
		return err
	}
	web.WriteFile(w, "application/pdf", "deposit-"+v.Entity.Slug+"-"+strconv.Itoa(d.N)+".pdf", file)
	return nil
}

// slip returns the slip as a document: account and day, each check with number, payer and amount, cash as one line, count and total.
func (a *Area) slip(v web.StaffVisit, d deposit.Deposit, lines []deposit.Line, account, by string) dossier.Dossier {
	lang, where := string(v.Language), []dossier.Row{}
	add := func(label, value string) { where = append(where, dossier.Row{Label: a.say(v, label), Value: value}) }
	add("office.deposit.of", v.Entity.LegalName)
	if d.DepositedOn != nil {
		add("office.deposit.account", account)
		add("office.deposit.on", a.dayText(v, *d.DepositedOn))
	}
	if by != "" {
		add("office.deposit.by", by)
	}
	checks, cash := []dossier.Row{}, []dossier.Row{}
	for _, l := range lines {
		if l.Method == deposit.Check {
			checks = append(checks, dossier.Row{Label: l.Number, Value: l.Payer, Amount: l.Amount().FormatExact(lang)})
		}
	}
	if d.Cash > 0 {
		cash = append(cash, dossier.Row{
			Value: a.View.PhraseN(v.Language, "office.deposit.cash", d.Cash), Amount: money.New(d.CashAmount, d.Currency).FormatExact(lang),
		})
	}
	return dossier.Dossier{
		Title: a.say(v, "office.deposit.slip", "n", d.N), Author: v.Entity.LegalName, Language: lang, Created: a.Now().In(desk.ZoneOf(v)),
		Lead: a.View.PhraseN(v.Language, "office.deposit.comes_to", d.Count(), "amount", d.Amount().FormatExact(lang)),
		Sections: []dossier.Section{
			{Heading: a.say(v, "office.deposit.where"), Rows: where},
			{Heading: a.say(v, "office.deposit.checks"), Rows: checks, Empty: a.say(v, "office.deposit.checks.none")},
			{Heading: a.say(v, "office.deposit.cash.heading"), Rows: cash, Empty: a.say(v, "office.deposit.cash.none")},
			{Heading: a.say(v, "office.deposit.total"), Rows: []dossier.Row{
				{
					Label: a.say(v, "office.deposit.slip.total"), Value: a.View.PhraseN(v.Language, "office.deposit.items", d.Count()),
					Amount: d.Amount().FormatExact(lang),
				},
			}},
		},
	}
}
