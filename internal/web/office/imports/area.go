package imports

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/office/giftimport"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/money"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// Area serves the pages.
type Area struct {
	*desk.Desk
	Imports giftimport.Service
}

var acts = web.Limit{Name: "staff imports", Words: "office.limit.imports", Limit: guard.Limit{Max: 120, Window: time.Hour}}

// typing are the roles that look at a file. Only finance orders and undoes an import.
var typing = []staff.RoleName{staff.Entry, staff.Finance}

// Routes returns the area's routes.
func (a *Area) Routes() []web.Route {
	readers, typists := a.In(staff.Entry, staff.Finance, staff.Auditor), a.In(typing...)
	const all, one = "/office/{entity}/imports", "/office/{entity}/imports/{import}"
	return []web.Route{
		web.Get(all, web.Page, readers, a.listGet).Limited(desk.Pages),
		web.Post(all, web.Upload, typists, a.uploadPost).Limited(acts),
		web.Get(one, web.Page, readers, a.importGet).Limited(desk.Pages),
		web.Post(one, web.Page, typists, a.importPost).Limited(acts),
		web.Get(one+"/left", web.Page, desk.Files(typists), a.leftGet).Limited(desk.Pages),
	}
}

func (a *Area) say(v web.StaffVisit, key string, args ...any) string {
	for i, arg := range args {
		if amount, ok := arg.(money.Amount); ok {
			args[i] = amount.FormatExact(string(v.Language))
		}
	}
	return a.View.Phrase(v.Language, key, args...)
}

func (a *Area) has(v web.StaffVisit, roles ...staff.RoleName) bool {
	return v.Organisation == nil && !v.BreakGlass && v.Has(staff.Scope{EntityID: v.Entity.ID}, roles...)
}

func pathOf(v web.StaffVisit, n int) string { return v.Path("imports/" + strconv.Itoa(n)) }

// ListPage lists imports and has the form for a file.
type ListPage struct {
	desk.Page
	Errors []view.FormError
	List   desk.List
	Action string // empty: the reader imports nothing
	Note   string // what is wrong with the file that was sent
}

func (a *Area) listGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	return a.showList(w, r, v, nil)
}

func (a *Area) showList(w http.ResponseWriter, r *http.Request, v web.StaffVisit, problems []fault.Field) error {
	p := ListPage{Page: a.PageOf(r, v, "imports"), List: desk.List{Empty: a.say(v, "office.import.empty")}}
	p.Problems = problems
	before, _ := strconv.Atoi(r.URL.Query().Get("before"))
	var page []giftimport.Import
	var more bool
	if v.Organisation == nil {
		err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
			page, more, err = giftimport.Page(r.Context(), tx, v.Entity.ID, max(before, 0), desk.RowsOf(r))
			return err
		})
		if err != nil {
			return err
		}
	} else {
		p.List.Empty = a.say(v, "office.import.of_entity")
	}
	p.List.Says = a.View.PhraseN(v.Language, "office.import.says", len(page))
	p.List.Table = desk.Table{Caption: a.say(v, "office.nav.imports")}
	for _, name := range []string{"import", "state", "file", "rows", "posted", "amount", "uploaded_at"} {
		p.List.Table.Columns = append(p.List.Table.Columns, desk.Column{
			Name: name, Label: a.say(v, "office.import.column."+name), Number: name == "rows" || name == "posted" || name == "amount", Wide: name == "file",
		})
	}
	for _, i := range page {
		p.List.Table.Rows = append(p.List.Table.Rows, desk.Row{URL: pathOf(v, i.N), Cells: []desk.Cell{
			{Text: strconv.Itoa(i.N)}, a.stateOf(v, i), {Text: i.Name}, {Text: strconv.Itoa(i.Rows)}, {Text: strconv.Itoa(i.Posted)},
			desk.AmountCell(i.Total(v.Entity.Currency)),
			{At: a.Moment(i.UploadedAt, desk.ZoneOf(v))},
		}})
	}
	if more {
		p.List.Next = desk.With(r.URL, "before", strconv.Itoa(page[len(page)-1].N))
	}
	if a.has(v, typing...) {
		p.Action = v.Path("imports")
	}
	f := p.Page.Form(a.View)
	p.Note = f.ErrorText("file")
	p.Errors = desk.ErrorsOf(f, v.Language, a.View, view.Field{FieldText: view.FieldText{Name: "file", Label: a.say(v, "office.import.file")}})
	return a.Write(w, desk.StatusOf(problems), "imports", v.Language, p)
}

func (a *Area) stateOf(v web.StaffVisit, i giftimport.Import) desk.Cell {
	state := i.State()
	shape := map[giftimport.State]string{giftimport.Ended: "good", giftimport.Running: "hold", giftimport.Undoing: "hold"}[state]
	if shape == "" {
		shape = "plain"
	}
	return desk.Cell{Text: a.say(v, "office.import.state."+string(state)), State: shape, File: string(state)}
}

// uploadPost stores a file to be looked at.
func (a *Area) uploadPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	if v.Organisation != nil {
		return web.NotFound()
	}
	bad := func(err error) error {
		var known *fault.Error
		if !errors.As(err, &known) || known.Kind != fault.Invalid && known.Kind != fault.Conflict && known.Kind != fault.Forbidden {
			return err
		}
		return a.showList(w, r, v, []fault.Field{{Name: "file", Phrase: known.Phrase, Args: known.Args}})
	}
	file, err := web.NextFile(r)
	if errors.Is(err, io.EOF) {
		return bad(fault.New(fault.Invalid, "office.import.error.none", nil))
	}
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	t, err := giftimport.ReadTable(raw)
	if err != nil {
		return bad(err)
	}
	var n int
	err = staff.InTx(r.Context(), a.StaffDB, v.Session, func(tx *sqlx.Tx) (err error) {
		n, err = giftimport.UploadTx(r.Context(), tx, a.NewID(), v.Entity.ID, file.Name, raw, t)
		return err
	})
	if err != nil {
		return bad(err)
	}
	return desk.Redirect(w, r, pathOf(v, n))
}

// importOf reads the import of an address.
func (a *Area) importOf(r *http.Request, v web.StaffVisit, tx *sqlx.Tx) (i giftimport.Import, err error) {
	text := chi.URLParam(r, "import")
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || strconv.Itoa(n) != text || v.Organisation != nil {
		return i, web.NotFound()
	}
	i, err = giftimport.ByN(r.Context(), tx, v.Entity.ID, n)
	if fault.Is(err, fault.NotFound) {
		err = web.NotFound()
	}
	return i, err
}

// checker returns what reads the rows of an import.
func (a *Area) checker(v web.StaffVisit, i giftimport.Import) giftimport.Checker {
	return giftimport.Checker{Catalog: v.Catalog, Entity: v.Entity, Mapping: i.Mapping, Today: ledger.DateOf(a.Now(), v.Entity.Location())}
}
