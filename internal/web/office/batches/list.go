package batches

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/office/offline"
	"konbit/internal/people/staff"
	"konbit/internal/platform/clean"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// ListPage lists batches, and begins one.
type ListPage struct {
	desk.Page
	List   desk.List
	Head   *Head // nil: the reader begins none
	Errors []view.FormError
}

// Head is the form of a batch's head.
type Head struct {
	Action, Submission string
	ReceivedOn         view.Field
	Count, Total       view.Field
	Account            view.Field
	Funds              []Option
	Changes            bool // the batch is there
}

// Option is an option of a select element.
type Option struct {
	Value, Label string
	Selected     bool
}

func (a *Area) say(v web.StaffVisit, key string, args ...any) string {
	return a.View.Phrase(v.Language, key, args...)
}

// place is a batch's number, of the last one of the page before.
type place struct {
	N int `json:"n"`
}

// organisationOf returns the organisation of the visit's scope; not valid: the entity.
func organisationOf(v web.StaffVisit) uuid.NullUUID {
	if v.Organisation == nil {
		return uuid.NullUUID{}
	}
	return uuid.NullUUID{UUID: v.Organisation.ID, Valid: true}
}

func (a *Area) listGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	return a.showList(w, r, v, typedHead{}, nil)
}

func (a *Area) showList(w http.ResponseWriter, r *http.Request, v web.StaffVisit, in typedHead, problems []fault.Field) error {
	var after place
	desk.ReadCursor(r, &after)
	var page []offline.Batch
	var open int
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if page, err = offline.List(r.Context(), tx, v.Entity.ID, organisationOf(v), after.N, desk.PageSize+1); err != nil {
			return err
		}
		open, err = offline.CountOpen(r.Context(), tx, v.Entity.ID, organisationOf(v))
		return err
	})
	if err != nil {
		return err
	}
	p := ListPage{Page: a.PageOf(r, v, "batches")}
	p.Problems = problems
	p.List = desk.List{
		Says: a.View.PhraseN(v.Language, "office.batch.says", open), Empty: a.say(v, "office.batch.empty"),
		CSV: desk.With(r.URL, "format", "csv", "after", r.URL.Query().Get("after")), XLSX: desk.With(r.URL, "format", "xlsx", "after",
			r.URL.Query().Get("after")),
		Table: desk.Table{Caption: a.say(v, "office.nav.batches"), Columns: []desk.Column{
			{Name: "n", Label: a.say(v, "office.batch.n")}, {Name: "received_on", Label: a.say(v, "office.batch.field.received_on")},
			{Name: "state", Label: a.say(v, "office.batch.state")}, {Name: "rows", Label: a.say(v, "office.batch.rows"), Number: true},
			{Name: "count", Label: a.say(v, "office.batch.of_count"), Number: true}, {Name: "sum", Label: a.say(v, "office.batch.sum"), Number: true},
			{Name: "total", Label: a.say(v, "office.batch.of_total"), Number: true},
		}},
	}
	if len(page) > desk.PageSize {
		page = page[:desk.PageSize]
		p.List.Next = desk.With(r.URL, "after", desk.Cursor(place{page[desk.PageSize-1].N}))
	}
	if after != (place{}) {
		p.List.First = desk.With(r.URL)
	}
	for _, b := range page {
		p.List.Table.Rows = append(p.List.Table.Rows, desk.Row{URL: pathOf(v, b.N), Cells: []desk.Cell{
			{Text: strconv.Itoa(b.N)}, {Day: b.ReceivedOn.In(time.UTC)}, a.stateOf(v, b), {Text: strconv.Itoa(b.Rows)}, {Text: strconv.Itoa(b.Counted)},
			desk.AmountCell(money.New(b.SumMinor, b.Currency)), desk.AmountCell(money.New(b.TotalMinor, b.Currency)),
		}})
	}
	if done, err := a.WriteFile(w, r, v, "batches", p.List.Table); done || err != nil {
		return err
	}
	if v.Has(v.Scope, typists...) {
		if in.received == "" && problems == nil {
			in.received = a.today(v).String()
		}
		p.Head = a.headForm(v, p.Form(a.View), in)
		p.Head.Action = v.Path("batches")
		p.Errors = a.errorsOf(v, problems)
	}
	return a.Write(w, desk.StatusOf(problems), "batches", v.Language, p)
}

// stateOf returns the state of a batch as lists show it.
func (a *Area) stateOf(v web.StaffVisit, b offline.Batch) desk.Cell {
	switch {
	case b.PostedAt != nil:
		return desk.Cell{Text: a.say(v, "office.batch.state.posted"), State: "good", File: "posted"}
	case b.Agrees():
		return desk.Cell{Text: a.say(v, "office.batch.state.agrees"), State: "hold", File: "agrees"}
	default:
		return desk.Cell{Text: a.say(v, "office.batch.state.typed"), State: "plain", File: "typed"}
	}
}

func pathOf(v web.StaffVisit, n int) string { return v.Path("batches/" + strconv.Itoa(n)) }

// today returns the day in the entity's time zone.
func (a *Area) today(v web.StaffVisit) ledger.Date {
	return ledger.DateOf(a.Now(), v.Entity.Location())
}

// typedHead is what was typed in the head of a batch.
type typedHead struct{ received, count, total, fund, account, submission string }

func headOf(r *http.Request) typedHead {
	line := func(name string) string { return clean.Line(r.PostForm.Get(name)) }
	return typedHead{line("received_on"), line("count"), line("total"), line("fund"), strings.ToLower(line("account")), line("submission")}
}

// read returns a batch as its head says, and what is wrong with it.
func (a *Area) read(v web.StaffVisit, in typedHead, b offline.Batch) (offline.Batch, []fault.Field) {
	var bad []fault.Field
	problem := func(name, key string) {
		bad = append(bad, fault.Field{Name: name, Phrase: "office.batch.error." + key})
	}
	b.EntityID, b.OrganisationID, b.Currency, b.Account = v.Entity.ID, organisationOf(v), v.Entity.Currency, in.account
	day, ok := offline.ReadDay(in.received, a.today(v), v.Language)
	switch {
	case !ok:
		problem("received_on", "day")
	case day.In(time.UTC).After(a.today(v).In(time.UTC)):
		problem("received_on", "received_later")
	case day.Year < a.today(v).Year-2:
		problem("received_on", "received_old")
	}
	b.ReceivedOn = day
	var err error
	if b.Counted, err = strconv.Atoi(clean.Code(in.count)); err != nil || b.Counted < 1 || b.Counted > 10000 {
		problem("count", "count")
	}
	total, err := money.Parse(in.total, v.Entity.Currency, string(v.Language))
	if b.TotalMinor = total.Minor; err != nil || total.Minor < 0 {
		problem("total", "amount_text")
	}
	b.FundID = uuid.NullUUID{}
	if in.fund != "" {
		f, ok := a.checker(v, b).Fund(in.fund)
		if b.FundID = (uuid.NullUUID{UUID: f.ID, Valid: ok}); !ok {
			problem("fund", "fund_unknown")
		}
	}
	if in.account != "" && !offline.IsAccount(in.account) {
		problem("account", "account")
	}
	return b, bad
}

func (a *Area) checker(v web.StaffVisit, b offline.Batch) offline.Checker {
	return offline.Checker{
		Catalog: v.Catalog, Entity: v.Entity, OrganisationID: b.OrganisationID, FundID: b.FundID, ReceivedOn: b.ReceivedOn, Language: v.Language,
	}
}

// headForm returns the form of a batch's head.
func (a *Area) headForm(v web.StaffVisit, form view.Form, in typedHead) *Head {
	h := &Head{
		Submission: cmp.Or(in.submission, a.NewID().String()),
		ReceivedOn: a.field(v, form, "received_on", in.received, view.Field{Type: "date", Required: true}),
		Count:      a.field(v, form, "count", in.count, view.Field{Mode: "numeric", Required: true}),
		Total:      a.field(v, form, "total", in.total, view.Field{Mode: "decimal", Required: true}),
		Account:    a.field(v, form, "account", in.account, view.Field{}),
	}
	h.Funds = a.fundOptions(v, organisationOf(v), in.fund)
	return h
}

// fundOptions returns the open funds of a scope, with their organisation if there are several.
func (a *Area) fundOptions(v web.StaffVisit, organisation uuid.NullUUID, chosen string) (all []Option) {
	for _, o := range v.Catalog.Organisations() {
		if o.EntityID != v.Entity.ID || organisation.Valid && organisation.UUID != o.ID {
			continue
		}
		for _, f := range v.Catalog.Open(o.ID) {
			label := f.Name.In(v.Language)
			if !organisation.Valid {
				label = o.Name.In(v.Language) + ": " + label
			}
			all = append(all, Option{f.Code, label, f.Code == chosen})
		}
	}
	return all
}

func codeOf(catalog *fund.Catalog, id uuid.NullUUID) string {
	f, err := catalog.Fund(id.UUID)
	if !id.Valid || err != nil {
		return ""
	}
	return f.Code
}

// field returns a field whose label is the phrase office.batch.field.NAME; its hint is office.batch.field.NAME_hint, if there is one.
func (a *Area) field(v web.StaffVisit, form view.Form, name, value string, as view.Field) view.Field {
	as.FieldText = view.FieldText{Name: name, Label: a.say(v, "office.batch.field."+name), Error: form.ErrorText(name)}
	if hint := "office.batch.field." + name + "_hint"; a.View.HasPhrase(hint) {
		as.Hint = a.say(v, hint)
	}
	as.Type, as.Autocomplete, as.Value, as.HideOptional = cmp.Or(as.Type, "text"), "off", value, true
	return as
}

// errorsOf returns the lines of the summary of errors.
func (a *Area) errorsOf(v web.StaffVisit, problems []fault.Field) (all []view.FormError) {
	for _, p := range problems {
		label := ""
		if name, code, split := strings.Cut(strings.TrimSuffix(p.Name, "]"), "["); split {
			label = a.say(v, "office.batch.field."+name) + " " + code
		} else if key := "office.batch.field." + p.Name; a.View.HasPhrase(key) {
			label = a.say(v, key)
		}
		all = append(all, view.FormError{Target: p.Name, Field: strings.TrimRight(label, ":?."), Text: a.View.ErrorText(v.Language, p)})
	}
	return all
}

// beginPost begins a batch. The same form sent again leads to the same batch.
func (a *Area) beginPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	in := headOf(r)
	b, problems := a.read(v, in, offline.Batch{ID: a.NewID()})
	if problems != nil {
		return a.showList(w, r, v, in, problems)
	}
	var err error
	if b.Submission, err = uuid.Parse(in.submission); err != nil {
		b.Submission = a.NewID()
	}
	err = staff.InTx(r.Context(), a.StaffDB, v.Session, func(tx *sqlx.Tx) error {
		b, err = offline.BeginTx(r.Context(), tx, b)
		return err
	})
	if err != nil {
		return err
	}
	return desk.Redirect(w, r, pathOf(v, b.N))
}
