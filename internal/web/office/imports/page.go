package imports

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"

	"konbit/internal/office/bankfile/field"
	"konbit/internal/office/giftimport"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/platform/sheet"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// ImportPage is an import: what its columns are, what each row will do, and how far it is.
type ImportPage struct {
	desk.Page
	Errors  []view.FormError
	N       int
	State   desk.Cell
	Says    string
	Problem string // why it did not run; may be empty
	Back    string
	Action  string // of the forms; empty: the reader changes nothing
	Columns []Column
	Common  []view.Field // what all rows have
	Orders  []Choice
	Writing []Choice
	Why     string // why the mapping cannot be used; empty: it can
	Ready   bool   // rows are shown
	Summary string
	Rows    desk.List
	Bad     int
	Good    int
	Left    string // address of the rows that cannot be posted, as a file
	MayPost bool
	Order   string // what the button says
	Without string
	MayUndo bool
	Undo    string
	Looks   bool // it runs: the page looks again
	Again   string
	Batches string // address of the batches
}

// Column is a column of the file, and what it is.
type Column struct {
	ID, Heading, Sample string
	Options             []Choice
}

// Choice is a value to choose.
type Choice struct {
	Value, Label string
	Selected     bool
}

func (a *Area) importGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	return a.show(w, r, v, nil)
}

func (a *Area) show(w http.ResponseWriter, r *http.Request, v web.StaffVisit, problems []fault.Field) error {
	p := ImportPage{Page: a.PageOf(r, v, "imports"), Back: v.Path("imports")}
	p.Problems = problems
	err := a.Read(r, v, func(tx *sqlx.Tx) error {
		i, err := a.importOf(r, v, tx)
		if err != nil {
			return err
		}
		p.N, p.State, p.Says = i.N, a.stateOf(v, i), a.View.PhraseN(v.Language, "office.import.rows", i.Rows, "file", i.Name)
		if i.Problem != "" {
			p.Problem = a.say(v, i.Problem)
		}
		if a.has(v, typing...) {
			p.Action = pathOf(v, i.N)
		}
		switch i.State() {
		case giftimport.Uploaded:
			return a.fillUploaded(r, tx, v, &p, i)
		case giftimport.Running, giftimport.Undoing:
			p.Looks, p.Again = true, pathOf(v, i.N)
			p.Summary = a.say(v, "office.import.running", "posted", i.Posted, "rows", i.Rows)
			if i.State() == giftimport.Undoing {
				p.Summary = a.say(v, "office.import.undoing")
			}
		default:
			p.Summary = a.View.PhraseN(v.Language, "office.import.posted", i.Posted,
				"amount", i.Total(v.Entity.Currency).FormatExact(string(v.Language)), "left", i.LeftOut)
			p.Batches = v.Path("batches")
			p.MayUndo = i.State() == giftimport.Ended && a.has(v, staff.Finance)
			p.Undo = a.View.PhraseN(v.Language, "office.import.undo", i.Posted)
		}
		return nil
	})
	if err != nil {
		return err
	}
	p.Errors = desk.ErrorsOf(p.Page.Form(a.View), v.Language, a.View, p.Common...)
	status := desk.StatusOf(problems)
	if len(problems) > 0 && problems[0].Name == "submit" {
		status = http.StatusConflict
	}
	return a.Write(w, status, "import", v.Language, p)
}

// fillUploaded fills the mapping, and what each row will do.
func (a *Area) fillUploaded(r *http.Request, tx *sqlx.Tx, v web.StaffVisit, p *ImportPage, i giftimport.Import) error {
	t, err := i.Table()
	if err != nil {
		return err
	}
	a.fillMapping(v, p, i, t)
	if why := i.Mapping.Problem(t); why != "" {
		p.Why = a.say(v, "office.import.error."+why)
		return nil
	}
	checker := a.checker(v, i)
	rows := checker.Check(t)
	p.Bad = giftimport.CountBad(rows)
	p.Good = len(rows) - p.Bad
	if r.URL.Query().Get("rows_of") == "bad" {
		rows = slices.DeleteFunc(rows, func(row giftimport.Checked) bool { return len(row.Bad) == 0 })
	}
	after, _ := strconv.Atoi(r.URL.Query().Get("after"))
	size := desk.RowsOf(r)
	from := min(max(after, 0), len(rows))
	shown := rows[from:min(from+size, len(rows))]
	if err := checker.Look(r.Context(), tx, shown); err != nil {
		return err
	}
	p.Ready = true
	p.Summary = a.View.PhraseN(v.Language, "office.import.good", p.Good) + " " + a.View.PhraseN(v.Language, "office.import.bad", p.Bad)
	p.Rows = desk.List{Says: p.Summary, Table: a.table(v, shown), Larger: desk.Larger(r), Empty: a.say(v, "office.import.none_bad")}
	p.Rows.Filters = []desk.Filter{{Label: a.say(v, "office.import.show"), Options: []desk.Option{
		{Label: a.say(v, "office.import.show.all"), URL: desk.With(r.URL, "rows_of", ""), Current: r.URL.Query().Get("rows_of") != "bad"},
		{Label: a.say(v, "office.import.show.bad"), URL: desk.With(r.URL, "rows_of", "bad"), Current: r.URL.Query().Get("rows_of") == "bad"},
	}}}
	if from > 0 {
		p.Rows.First = desk.With(r.URL)
	}
	if from+size < len(rows) {
		p.Rows.Next = desk.With(r.URL, "after", strconv.Itoa(from+size))
	}
	p.MayPost = a.has(v, staff.Finance)
	p.Order = a.View.PhraseN(v.Language, "office.import.order", p.Good)
	if p.Bad > 0 {
		p.Without = a.View.PhraseN(v.Language, "office.import.without", p.Bad, "good", p.Good)
		if a.has(v, typing...) {
			p.Left = pathOf(v, i.N) + "/left"
		}
	}
	return nil
}

func (a *Area) fillMapping(v web.StaffVisit, p *ImportPage, i giftimport.Import, t giftimport.Table) {
	for n, heading := range t.Heading {
		c := Column{ID: fmt.Sprintf("column-%d", n), Heading: heading, Sample: t.Rows[0].Cell(n)}
		if heading == "" {
			c.Heading = a.say(v, "office.import.column", "n", n+1)
		}
		chosen := ""
		if n < len(i.Mapping.Columns) {
			chosen = i.Mapping.Columns[n]
		}
		c.Options = append(c.Options, Choice{"", a.say(v, "office.import.field.none"), chosen == ""})
		for _, name := range giftimport.Fields {
			c.Options = append(c.Options, Choice{name, a.fieldName(v, name), name == chosen})
		}
		p.Columns = append(p.Columns, c)
	}
	f := p.Page.Form(a.View)
	for _, name := range giftimport.DefaultFields {
		kind := "text"
		if name == giftimport.ReceivedOn {
			kind = "date"
		}
		p.Common = append(p.Common, view.Field{
			FieldText: view.FieldText{Name: "default-" + name, Label: a.fieldName(v, name), Error: f.ErrorText("default-" + name)},
			PostName:  "default[" + name + "]", Type: kind, Value: i.Mapping.Defaults[name], Autocomplete: "off",
		})
	}
	names := map[field.Order]string{"": "shown", field.MonthFirst: "month", field.DayFirst: "day"}
	for _, order := range []field.Order{"", field.MonthFirst, field.DayFirst} {
		p.Orders = append(p.Orders, Choice{string(order), a.say(v, "office.import.order_of_days."+names[order]), i.Mapping.DateOrder == order})
	}
	for _, lang := range []string{"en", "es"} {
		p.Writing = append(p.Writing, Choice{lang, a.say(v, "office.import.decimals."+lang), i.Mapping.DecimalsOf == lang})
	}
}

// fieldName is what a field is called.
func (a *Area) fieldName(v web.StaffVisit, name string) string {
	if key := "office.import.field." + name; a.View.HasPhrase(key) {
		return a.say(v, key)
	}
	return a.say(v, "office.batch.field."+name)
}

// table says of each row what it will do, or what is wrong with it.
func (a *Area) table(v web.StaffVisit, rows []giftimport.Checked) desk.Table {
	t := desk.Table{Caption: a.say(v, "office.import.preview")}
	for _, name := range []string{"line", "does", "received_on", "donor", "amount", "funds", "says"} {
		t.Columns = append(t.Columns, desk.Column{
			Name: name, Label: a.say(v, "office.import.row."+name), Number: name == "amount" || name == "line", Wide: name == "says",
		})
	}
	for _, r := range rows {
		does := desk.Cell{Text: a.say(v, "office.import.does.posts"), State: "good", File: "posts"}
		switch {
		case len(r.Bad) > 0:
			does = desk.Cell{Text: a.say(v, "office.import.does.bad"), State: "bad", File: "bad"}
		case len(r.Doubts) > 0:
			does = desk.Cell{Text: a.say(v, "office.import.does.doubt"), State: "hold", File: "doubt"}
		}
		donor := desk.Cell{Text: r.Donor.Name, Soft: a.say(v, "office.import.donor.new")}
		if r.Donor.ID.String() != "00000000-0000-0000-0000-000000000000" {
			donor.URL, donor.Soft = v.Path("donors/"+r.Donor.ID.String()), a.say(v, "office.import.donor.known")
		} else if r.SameAs > 0 {
			donor.Soft = a.say(v, "office.import.donor.same", "line", r.SameAs)
		}
		amount := desk.Cell{Text: r.Typed["amount"]}
		if r.Meaning.Minor > 0 {
			amount = desk.AmountCell(money.New(r.Meaning.Minor, v.Entity.Currency))
		}
		day := desk.Cell{}
		if r.ReceivedOn.Year > 0 {
			day.Day = r.ReceivedOn.In(desk.ZoneOf(v))
		}
		t.Rows = append(t.Rows, desk.Row{Cells: []desk.Cell{
			{Text: strconv.Itoa(r.Line)}, does, day, donor, amount, {Text: a.funds(v, r)}, {Text: strings.Join(a.says(v, r), " ")},
		}})
	}
	return t
}

func (a *Area) funds(v web.StaffVisit, r giftimport.Checked) string {
	var names []string
	for _, p := range r.Meaning.Parts {
		if f, err := v.Catalog.Fund(p.FundID); err == nil {
			names = append(names, f.Name.In(v.Language))
		}
	}
	return strings.Join(names, ", ")
}

// says says what is wrong with a row, field by field, or what may be.
func (a *Area) says(v web.StaffVisit, r giftimport.Checked) (texts []string) {
	for _, bad := range r.Bad {
		texts = append(texts, a.fieldName(v, strings.SplitN(bad.Name, "[", 2)[0])+": "+a.View.ErrorText(v.Language, bad))
	}
	for _, d := range r.Doubts {
		texts = append(texts, a.say(v, "office.import.doubt."+d.Phrase, "line", d.Line, "gift", d.Gift))
	}
	return texts
}

// importPost does what the button says.
func (a *Area) importPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	var i giftimport.Import
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		i, err = a.importOf(r, v, tx)
		return err
	})
	if err != nil {
		return err
	}
	to := pathOf(v, i.N)
	err = staff.InTx(r.Context(), a.StaffDB, v.Session, func(tx *sqlx.Tx) error {
		switch r.PostForm.Get("do") {
		case "order", "without":
			return a.Imports.OrderTx(r.Context(), tx, v.Entity.ID, i.N, r.PostForm.Get("do") == "without")
		case "undo":
			return a.Imports.UndoTx(r.Context(), tx, v.Entity.ID, i.N)
		case "discard":
			to = v.Path("imports")
			return giftimport.DiscardTx(r.Context(), tx, v.Entity.ID, i.N)
		}
		return giftimport.MapTx(r.Context(), tx, v.Entity.ID, i.N, readMapping(r.PostForm, i))
	})
	var known *fault.Error
	if errors.As(err, &known) && (known.Kind == fault.Conflict || known.Kind == fault.Forbidden) {
		return a.show(w, r, v, []fault.Field{{Name: "submit", Phrase: known.Phrase, Args: known.Args}})
	}
	if err != nil {
		return err
	}
	return desk.Redirect(w, r, to)
}

// readMapping reads what a person says of the columns. What is no field is not read.
func readMapping(form url.Values, i giftimport.Import) giftimport.Mapping {
	m := giftimport.Mapping{
		Columns: make([]string, len(i.Mapping.Columns)), Defaults: map[string]string{},
		DateOrder: field.Order(form.Get("date_order")), DecimalsOf: form.Get("decimals"),
	}
	if !slices.Contains([]field.Order{"", field.MonthFirst, field.DayFirst}, m.DateOrder) {
		m.DateOrder = ""
	}
	if m.DecimalsOf != string(phrase.Spanish) {
		m.DecimalsOf = string(phrase.English)
	}
	for n := range m.Columns {
		if name := form.Get("column-" + strconv.Itoa(n)); slices.Contains(giftimport.Fields, name) {
			m.Columns[n] = name
		}
	}
	for _, name := range giftimport.DefaultFields {
		if text := strings.TrimSpace(form.Get("default[" + name + "]")); text != "" && len(text) <= 100 {
			m.Defaults[name] = text
		}
	}
	return m
}

// leftGet is the rows that cannot be posted as a file, with the line of each and what is wrong with it.
func (a *Area) leftGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	var i giftimport.Import
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		i, err = a.importOf(r, v, tx)
		return err
	})
	if err != nil {
		return err
	}
	t, err := i.Table()
	if err != nil || i.Mapping.Problem(t) != "" {
		return web.NotFound()
	}
	var to strings.Builder
	file := sheet.NewWriter(&to, sheet.CSV)
	cells := func(texts []string) (row []sheet.Cell) {
		for _, text := range texts {
			row = append(row, sheet.Text(text))
		}
		return row
	}
	if err := file.Row(cells(append(slices.Clone(t.Heading), a.say(v, "office.import.row.line"), a.say(v, "office.import.row.says")))...); err != nil {
		return err
	}
	for _, row := range a.checker(v, i).Check(t) {
		if len(row.Bad) == 0 {
			continue
		}
		texts := make([]string, len(t.Heading))
		copy(texts, row.Row.Cells)
		if err := file.Row(cells(append(texts, strconv.Itoa(row.Line), strings.Join(a.says(v, row), " ")))...); err != nil {
			return err
		}
	}
	if err := file.Close(); err != nil {
		return err
	}
	web.WriteFile(w, sheet.MediaType(sheet.CSV), "import-"+strconv.Itoa(i.N)+"-left.csv", []byte(to.String()))
	return nil
}
