package deposits

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/office/bank"
	"konbit/internal/office/repayment"
	"konbit/internal/platform/clean"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// OwedPage lists what is owed to donors, and how it was repaid.
type OwedPage struct {
	desk.Page
	Errors []view.FormError
	Says   string
	Owed   []OwedItem
	Made   desk.List
	Action string // empty: the reader changes nothing
	Forms  []MadeForm
	Empty  string
}

// OwedItem is what is owed of a gift, with the form that repays it.
type OwedItem struct {
	PaymentID, Submission, Gift string // Gift: its address
	Donor                       string
	Amount                      money.Amount
	Minor                       int64
	Since                       desk.Cell
	Method                      string // of the form: check or transfer
	Number, On                  view.Field
	Account                     Choice
	Open                        bool // the form has problems
}

// MadeForm withdraws a repayment.
type MadeForm struct {
	N    int
	Says string
}

// maxOwed is how many are shown.
const maxOwed = 200

func (a *Area) owedGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	return a.showOwed(w, r, v, nil)
}

// showOwed shows the page; after a refusal, the form that was sent has what was typed.
func (a *Area) showOwed(w http.ResponseWriter, r *http.Request, v web.StaffVisit, problems []fault.Field) error {
	p := OwedPage{Page: a.PageOf(r, v, "refunds"), Empty: a.say(v, "office.owed.empty")}
	p.Problems = problems
	if v.Organisation != nil {
		p.Empty = a.say(v, "office.owed.of_entity")
		return a.Write(w, http.StatusOK, "owed", v.Language, p)
	}
	before, _ := strconv.Atoi(r.URL.Query().Get("before"))
	var owed []repayment.Owed
	var made []repayment.Repayment
	var more bool
	var accounts []bank.Account
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if owed, err = repayment.List(r.Context(), tx, v.Entity.ID, uuid.Nil, maxOwed); err != nil {
			return err
		}
		if made, more, err = repayment.Page(r.Context(), tx, v.Entity.ID, max(before, 0), desk.RowsOf(r)); err != nil {
			return err
		}
		accounts, err = bank.AccountsOf(r.Context(), tx, v.Entity.ID)
		return err
	})
	if err != nil {
		return err
	}
	sum := money.New(0, v.Entity.Currency)
	for _, o := range owed {
		sum.Minor += o.Minor
		p.Owed = append(p.Owed, a.owedItem(r, v, &p, o, accounts))
	}
	p.Says = a.View.PhraseN(v.Language, "office.owed.says", len(owed), "amount", sum.FormatExact(string(v.Language)))
	p.Made = desk.List{Says: a.View.PhraseN(v.Language, "office.owed.made", len(made)), Empty: a.say(v, "office.owed.made.none"), Table: a.madeTable(v, made)}
	if more {
		p.Made.Next = desk.With(r.URL, "before", strconv.Itoa(made[len(made)-1].N))
	}
	if mayAct(v) {
		p.Action = v.Path("refunds/owed")
		for _, m := range made {
			if m.State() == repayment.Made {
				p.Forms = append(p.Forms, MadeForm{m.N, a.say(v, "office.owed.withdraw", "n", m.N, "amount", m.Amount(), "donor", m.Donor)})
			}
		}
	}
	p.Errors = desk.ErrorsOf(p.Page.Form(a.View), v.Language, a.View, a.owedLabels(v, r.PostForm.Get("payment"))...)
	if done, err := a.WriteFile(w, r, v, "repayments", p.Made.Table); done || err != nil {
		return err
	}
	return a.Write(w, status(problems), "owed", v.Language, p)
}

// owedLabels are the fields of the form of a payment, by which errors name them.
func (a *Area) owedLabels(v web.StaffVisit, payment string) []view.Field {
	named := func(name, label string) view.Field {
		return view.Field{FieldText: view.FieldText{Name: name + "-" + payment, Label: a.say(v, label)}}
	}
	return []view.Field{named("number", "office.owed.number"), named("paid_on", "office.owed.on"), named("account", "office.deposit.account")}
}

func (a *Area) owedItem(r *http.Request, v web.StaffVisit, p *OwedPage, o repayment.Owed, accounts []bank.Account) OwedItem {
	id, f := o.PaymentID.String(), p.Page.Form(a.View)
	item := OwedItem{
		PaymentID: id, Submission: a.NewID().String(), Gift: v.Path("gifts/" + o.PublicRef), Donor: o.Donor, Amount: o.Amount(), Minor: o.Minor,
		Since: desk.Cell{Day: o.Since.In(desk.ZoneOf(v))}, Method: string(repayment.Check),
	}
	number, on, account := "", a.today(v).String(), ""
	if sent := r.PostForm; sent.Get("payment") == id && len(p.Problems) > 0 {
		item.Open, item.Method, item.Submission = true, sent.Get("method"), sent.Get("submission")
		number, on, account = sent.Get("number"), sent.Get("paid_on"), sent.Get("account")
	}
	item.Number = view.Field{
		FieldText: view.FieldText{Name: "number-" + id, Label: a.say(v, "office.owed.number"), Error: f.ErrorText("number-" + id)},
		PostName:  "number", Value: number, Type: "text", Autocomplete: "off", HideOptional: true,
	}
	item.On = view.Field{
		FieldText: view.FieldText{Name: "paid_on-" + id, Label: a.say(v, "office.owed.on"), Error: f.ErrorText("paid_on-" + id)},
		PostName:  "paid_on", Value: on, Type: "date", HideOptional: true,
	}
	item.Account = choose(f, accounts, o.Currency, account)
	item.Account.Error = f.ErrorText("account-" + id)
	return item
}

func (a *Area) madeTable(v web.StaffVisit, made []repayment.Repayment) desk.Table {
	t := desk.Table{Caption: a.say(v, "office.owed.made.caption")}
	for _, name := range []string{"repayment", "state", "amount", "donor", "method", "number", "paid_on", "booked_on"} {
		t.Columns = append(t.Columns, desk.Column{Name: name, Label: a.say(v, "office.owed.column."+name), Number: name == "amount", Wide: name == "donor"})
	}
	shapes := map[repayment.State]string{repayment.Made: "hold", repayment.Booked: "good", repayment.Withdrawn: "plain", repayment.Returned: "plain"}
	for _, m := range made {
		booked := desk.Cell{}
		if m.BookedOn != nil {
			booked.Day = day(*m.BookedOn)
		}
		t.Rows = append(t.Rows, desk.Row{Cells: []desk.Cell{
			{Text: strconv.Itoa(m.N)}, {Text: a.say(v, "office.owed.state."+string(m.State())), State: shapes[m.State()], File: string(m.State())},
			desk.AmountCell(m.Amount()), {Text: m.Donor, URL: v.Path("gifts/" + m.PublicRef)},
			{Text: a.say(v, "office.owed.method."+string(m.Method)), Soft: m.Account, File: string(m.Method)},
			{Text: m.Number}, {Day: day(m.PaidOn)}, booked,
		}})
	}
	return t
}

// owedPost stores how something owed is repaid, or withdraws it.
func (a *Area) owedPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	if v.Organisation != nil {
		return web.NotFound()
	}
	var problems []fault.Field
	var err error
	if text := r.PostForm.Get("withdraw"); text != "" {
		n, bad := strconv.Atoi(text)
		if bad != nil || n < 1 {
			return web.NotFound()
		}
		problems, err = a.write(r, v, func(tx *sqlx.Tx) error { return repayment.WithdrawTx(r.Context(), tx, v.Entity.ID, n) })
	} else {
		problems, err = a.repay(r, v)
	}
	switch {
	case err != nil:
		return err
	case len(problems) > 0:
		return a.showOwed(w, r, v, problems)
	}
	return desk.Redirect(w, r, v.Path("refunds/owed"))
}

func (a *Area) repay(r *http.Request, v web.StaffVisit) (problems []fault.Field, err error) {
	form := r.PostForm
	id, bad := uuid.Parse(form.Get("payment"))
	if bad != nil {
		return []fault.Field{{Name: "submit", Phrase: "office.owed.error.none"}}, nil //nolint:nilerr // the page says what is wrong with the form
	}
	wrong := func(name, key string) {
		problems = append(problems, fault.Field{Name: name + "-" + id.String(), Phrase: "office.owed.error." + key})
	}
	o := repayment.Order{
		ID: a.NewID(), EntityID: v.Entity.ID, PaymentID: id, Method: repayment.Method(form.Get("method")), Number: clean.Line(form.Get("number")),
	}
	if o.Submission, err = uuid.Parse(form.Get("submission")); err != nil {
		o.Submission = a.NewID()
	}
	o.Minor, _ = strconv.ParseInt(form.Get("amount"), 10, 64)
	if o.Method != repayment.Check && o.Method != repayment.Transfer {
		return []fault.Field{{Name: "submit", Phrase: "office.owed.error.method"}}, nil
	}
	if n := len([]rune(o.Number)); n == 0 || n > 40 || strings.ContainsRune(o.Number, 0) {
		wrong("number", "number")
	}
	on, ok := a.readDay(v, form.Get("paid_on"))
	if o.PaidOn = on; !ok {
		wrong("paid_on", "on")
	}
	var stored []fault.Field
	stored, err = a.write(r, v, func(tx *sqlx.Tx) error {
		account, err := bank.AccountOf(r.Context(), tx, v.Entity.ID, form.Get("account"))
		switch {
		case fault.Is(err, fault.NotFound):
			wrong("account", "account")
			return nil
		case err != nil || len(problems) > 0:
			return err
		}
		o.AccountID = account.ID
		_, err = repayment.MakeTx(r.Context(), tx, o)
		return err
	})
	return append(problems, stored...), err
}
