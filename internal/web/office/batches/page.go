package batches

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donor"
	"konbit/internal/office/giftlist"
	"konbit/internal/office/offline"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// BatchPage is a batch with its rows.
type BatchPage struct {
	desk.Page
	Title  string
	Next   string // what to do
	Pairs  []desk.Pair
	Rows   desk.Table
	Row    *RowForm // nil: the reader types none, or the batch is posted
	Head   *Head    // likewise
	Post   *PostForm
	Remove string   // the row that can be removed; empty: none is shown
	Twins  []string // rows that have number and amount of another one
	Papers string   // address of what is printed; empty: nothing is
	Print  string   // what Papers has, in words
	Empty  bool     // it has no row, and can be put away
	Errors []view.FormError
}

// RowForm is the form of a row.
type RowForm struct {
	Action, Heading, Submission, DonorID, DonorWas, Candidates string
	N                                                          int // of the row that is corrected; 0: a new one
	Fields                                                     []view.Field
	NewDonor                                                   []view.Field // nil: the donor is known, or not looked for yet
	Chosen                                                     string       // the donor, in words
	Matches                                                    []match
	Funds, Methods, Givers                                     []Option
	More                                                       []view.Field
	Splits                                                     []view.Field
	Several                                                    bool // the fields of Splits are shown
	MoreOpen                                                   bool
	Focus                                                      string // id of the field that gets the focus
	FundError                                                  string
	NoFund                                                     string // what no fund means
}

// HasFocus reports whether a field gets the focus.
func (f RowForm) HasFocus(name string) bool { return f.Focus == name }

// postForm is what was typed in the form that posts.
type postForm struct{ reason string }

// PostForm posts the batch.
type PostForm struct {
	Agrees bool
	Button string
	Funds  desk.Table // what it books, by fund
	Reason view.Field // why, though count or total differ
}

func asFault(err, known error, into **fault.Error) bool {
	return errors.Is(err, known) && errors.As(known, into)
}

// batchOf returns the batch that the address names, with its rows.
func (a *Area) batchOf(r *http.Request, v web.StaffVisit) (b offline.Batch, rows []offline.Row, err error) {
	n, err := strconv.Atoi(chi.URLParam(r, "n"))
	if err != nil || n < 1 || n > 1<<30 {
		return b, nil, web.NotFound()
	}
	err = a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if b, err = offline.ByN(r.Context(), tx, v.Entity.ID, n); err != nil {
			return err
		}
		if v.Organisation != nil && b.OrganisationID.UUID != v.Organisation.ID {
			return web.NotFound()
		}
		rows, err = offline.RowsOf(r.Context(), tx, b.ID)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		err = web.NotFound()
	}
	return b, rows, err
}

func (a *Area) batchGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	b, rows, err := a.batchOf(r, v)
	if err != nil {
		return err
	}
	e := &entry{}
	if n, err := strconv.Atoi(r.URL.Query().Get("row")); err == nil {
		i := slices.IndexFunc(rows, func(row offline.Row) bool { return row.N == n })
		if i < 0 {
			return web.NotFound()
		}
		e = entryOfRow(rows[i])
		if e.donorID != newDonor {
			err = a.Read(r, v, func(tx *sqlx.Tx) error { return a.findDonor(r.Context(), tx, v, b, rows, e, e.typed["donor"]) })
			if err != nil {
				return err
			}
			e.problems = nil
		}
	}
	return a.showBatch(w, r, v, b, rows, e, postForm{}, nil)
}

// batchPost does what a form of a batch's page asks for: the field do says it; without it a row is stored.
func (a *Area) batchPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	b, rows, err := a.batchOf(r, v)
	if err != nil {
		return err
	}
	switch r.PostForm.Get("do") {
	case "", "row":
		return a.rowPost(w, r, v, b, rows)
	case "head":
		return a.headPost(w, r, v, b, rows)
	case "remove":
		n, _ := strconv.Atoi(r.PostForm.Get("row"))
		return a.act(w, r, v, b, rows, pathOf(v, b.N), func(tx *sqlx.Tx) error { return offline.RemoveRowTx(r.Context(), tx, b, n) })
	case "put_away":
		return a.act(w, r, v, b, rows, v.Path("batches"), func(tx *sqlx.Tx) error { return offline.RemoveTx(r.Context(), tx, b.ID) })
	case "post":
		reason := strings.Join(strings.Fields(r.PostForm.Get("reason")), " ")
		if len([]rune(reason)) > 500 {
			return a.showBatch(w, r, v, b, rows, &entry{}, postForm{reason}, []fault.Field{{Name: "reason", Phrase: "office.batch.error.long"}})
		}
		return a.act(w, r, v, b, rows, pathOf(v, b.N), func(tx *sqlx.Tx) error {
			_, err := a.Poster.PostTx(r.Context(), tx, v.Catalog, b.ID, reason)
			return err
		})
	}
	return web.NotFound()
}

// act does something in the person's session and leads to a page; a refusal is shown on the batch's page.
func (a *Area) act(w http.ResponseWriter, r *http.Request, v web.StaffVisit, b offline.Batch, rows []offline.Row, to string, fn func(tx *sqlx.Tx) error) error {
	err := staff.InTx(r.Context(), a.StaffDB, v.Session, fn)
	var row *offline.ErrRow
	switch problem := problemOf(err); {
	case errors.As(err, &row):
		i := slices.IndexFunc(rows, func(other offline.Row) bool { return other.N == row.N })
		if i < 0 {
			return err
		}
		e := entryOfRow(rows[i])
		e.problems = row.Fields
		return a.showBatch(w, r, v, b, rows, e, postForm{}, nil)
	case problem != nil:
		problem.Name = "post"
		if errors.Is(err, offline.ErrDiffers) {
			problem.Name = "reason"
		}
		return a.showBatch(w, r, v, b, rows, &entry{}, postForm{}, []fault.Field{*problem})
	case err != nil:
		return err
	}
	return desk.Redirect(w, r, to)
}

// headPost changes the head of a batch.
func (a *Area) headPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit, b offline.Batch, rows []offline.Row) error {
	in := headOf(r)
	organisation := b.OrganisationID
	changed, problems := a.read(v, in, b)
	changed.OrganisationID = organisation
	if problems != nil {
		return a.show(w, r, v, b, rows, &entry{}, postForm{}, problems, &in)
	}
	return a.act(w, r, v, b, rows, pathOf(v, b.N), func(tx *sqlx.Tx) error { return offline.ChangeTx(r.Context(), tx, changed) })
}

func (a *Area) showBatch(
	w http.ResponseWriter, r *http.Request, v web.StaffVisit, b offline.Batch, rows []offline.Row, e *entry, in postForm, problems []fault.Field,
) error {
	return a.show(w, r, v, b, rows, e, in, problems, nil)
}

// show writes the page of a batch, with a row that is being typed.
func (a *Area) show(
	w http.ResponseWriter, r *http.Request, v web.StaffVisit, b offline.Batch, rows []offline.Row, e *entry, in postForm, problems []fault.Field,
	head *typedHead,
) error {
	p := BatchPage{Page: a.PageOf(r, v, "batches"), Title: a.say(v, "office.batch.title", "n", b.N)}
	p.Problems = append(problems, e.problems...)
	names, refs, err := a.namesOf(r, v, b, rows)
	if err != nil {
		return err
	}
	p.Pairs = a.pairs(v, b)
	if b.PostedAt == nil {
		if p.Twins, err = a.twins(r, v, b); err != nil {
			return err
		}
	}
	p.Rows = a.table(v, b, rows, names, refs)
	form := p.Form(a.View)
	switch {
	case b.PostedAt != nil:
		p.Next = a.View.PhraseN(v.Language, "office.batch.next.posted", b.Rows)
		if v.Has(v.Scope, staff.Finance) {
			err := a.Read(r, v, func(tx *sqlx.Tx) error {
				papers, err := papersOf(r, tx, rows)
				if len(papers) > 0 {
					p.Papers, p.Print = v.Path("batches/"+strconv.Itoa(b.N)+"/papers"), a.View.PhraseN(v.Language, "office.batch.print", len(papers))
				}
				return err
			})
			if err != nil {
				return err
			}
		}
	case b.RemovedAt != nil:
		p.Next = a.say(v, "office.batch.next.removed")
	default:
		p.Next = a.say(v, "office.batch.next.typed")
		if b.Agrees() {
			p.Next = a.say(v, "office.batch.next.agrees")
		}
		if v.Has(v.Scope, typists...) {
			p.Row, p.Empty = a.rowForm(v, b, form, e), b.Rows == 0
			if e.n > 0 {
				p.Remove = strconv.Itoa(e.n)
			}
			if head == nil {
				head = &typedHead{b.ReceivedOn.String(), strconv.Itoa(b.Counted), money.New(b.TotalMinor, b.Currency).Decimal(), codeOf(v.Catalog, b.FundID),
					b.Account, ""}
			}
			p.Head = a.headForm(v, form, *head)
			p.Head.Action, p.Head.Changes = pathOf(v, b.N), true
		}
		if v.Has(staff.Scope{EntityID: v.Entity.ID}, staff.Finance) && b.Rows > 0 {
			p.Post = a.postForm(v, b, rows, form, in)
		}
	}
	p.Errors = a.errorsOf(v, p.Problems)
	return a.Write(w, desk.StatusOf(p.Problems), "batch", v.Language, p)
}

// namesOf returns the donors of rows by id, and the public references of their gifts by the number of the row.
func (a *Area) namesOf(r *http.Request, v web.StaffVisit, b offline.Batch, rows []offline.Row) (names map[uuid.UUID]string, refs map[int]string, err error) {
	names, refs = map[uuid.UUID]string{}, map[int]string{}
	var ids, gifts []uuid.UUID
	for _, row := range rows {
		if row.DonorID.Valid && !slices.Contains(ids, row.DonorID.UUID) {
			ids = append(ids, row.DonorID.UUID)
		}
		if row.GiftID.Valid {
			gifts = append(gifts, row.GiftID.UUID)
		}
	}
	err = a.Read(r, v, func(tx *sqlx.Tx) error {
		found, err := offline.NamesOf(r.Context(), tx, v.Entity.ID, b.OrganisationID, ids)
		if err != nil {
			return err
		}
		for id, name := range found {
			names[id] = name
		}
		if len(gifts) == 0 || !desk.IsReader(v) {
			return nil
		}
		return a.refsOf(r.Context(), tx, rows, refs)
	})
	return names, refs, err
}

func (a *Area) refsOf(ctx context.Context, tx *sqlx.Tx, rows []offline.Row, refs map[int]string) error {
	var donations []uuid.UUID
	of := map[uuid.UUID]int{}
	for _, row := range rows {
		id := offline.DonationOf(row)
		donations, of[id] = append(donations, id), row.N
	}
	found, err := giftlist.RefsOf(ctx, tx, donations)
	for id, ref := range found {
		refs[of[id]] = ref
	}
	return err
}

// rowForm returns the form of a row.
func (a *Area) rowForm(v web.StaffVisit, b offline.Batch, form view.Form, e *entry) *RowForm {
	t := e.typed
	f := &RowForm{
		Action: pathOf(v, b.N), N: e.n, Submission: cmp.Or(e.submission, a.NewID().String()), DonorID: e.donorID, DonorWas: e.donorWas, Matches: e.matches,
		Heading: a.say(v, "office.batch.row_new"), Funds: a.fundOptions(v, b.OrganisationID, t["fund"]),
		NoFund: a.say(v, "office.batch.fund_usual"),
	}
	if e.n > 0 {
		f.Heading = a.say(v, "office.batch.row_of", "n", e.n)
	}
	for i := range f.Matches {
		f.Matches[i].Digit = i + 1
		f.Candidates += f.Matches[i].Value + " "
	}
	if e.chosen.Name != "" {
		f.Chosen = e.chosen.Name
		if e.chosen.Place != "" {
			f.Chosen += ", " + e.chosen.Place
		}
	}
	field := func(name string, as view.Field) view.Field { return a.field(v, form, name, t[name], as) }
	f.Fields = []view.Field{
		field("donor", view.Field{}), field("amount", view.Field{Mode: "decimal"}), field("number", view.Field{}), field("note", view.Field{}),
	}
	if e.donorID == newDonor {
		for _, name := range []string{"first_name", "last_name", "organisation", "email", "address_line1", "address_line2", "city", "region", "postal_code",
			"country"} {
			f.NewDonor = append(f.NewDonor, field(name, view.Field{}))
		}
	}
	for _, method := range offline.Methods {
		f.Methods = append(f.Methods, Option{string(method), a.say(v, "office.batch.method."+string(method)), t["method"] == string(method)})
	}
	given := cmp.Or(t["given_by"], givenBy(e.chosen.kind))
	for _, by := range offline.Givers {
		f.Givers = append(f.Givers, Option{string(by), a.say(v, "office.batch.given_by."+string(by)), given == string(by)})
	}
	for _, name := range []string{"postmarked_on", "in_return", "in_return_value", "counted_by", "soft_credit"} {
		f.More = append(f.More, field(name, view.Field{}))
	}
	credit := []string{"credit_first_name", "credit_last_name", "credit_email"}
	if t.CreditsNew() || form.ErrorText("soft_credit") != "" || form.ErrorText("credit_email") != "" {
		for _, name := range credit {
			f.More = append(f.More, field(name, view.Field{}))
		}
	}
	f.FundError, f.Several = form.ErrorText("fund"), e.several || len(t.Splits()) > 0
	f.Funds = append(f.Funds, Option{severalFunds, a.say(v, "office.batch.fund_several"), f.Several})
	for _, o := range a.fundOptions(v, b.OrganisationID, "") {
		name := "split[" + o.Value + "]"
		split := view.Field{FieldText: view.FieldText{Name: name, Label: o.Label, Error: form.ErrorText(name)}, Type: "text", Mode: "decimal",
			Autocomplete: "off", HideOptional: true}
		split.Value = t[name]
		f.Splits = append(f.Splits, split)
	}
	for _, name := range append([]string{"method", "given_by", "postmarked_on", "in_return", "in_return_value", "counted_by", "soft_credit"}, credit...) {
		f.MoreOpen = f.MoreOpen || t[name] != "" && !(name == "method" && t[name] == string(offline.Check)) && !(name == "given_by" &&
			t[name] == string(offline.Person)) ||
			form.ErrorText(name) != ""
	}
	f.Focus = focusOf(e)
	return f
}

func givenBy(kind donor.Kind) string {
	if kind == donor.Organisation {
		return string(offline.Organisation)
	}
	return string(offline.Person)
}
