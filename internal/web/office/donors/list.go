package donors

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"

	"konbit/internal/office/donorfile"
	"konbit/internal/platform/clean"
	"konbit/internal/platform/money"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// ListPage lists donors: those whom a text finds, or those who gave last.
type ListPage struct {
	desk.Page
	List desk.List
}

func (a *Area) listGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	typed, long := desk.SearchText(r)
	text := typedText(typed)
	var place donorfile.Place
	placed := desk.ReadCursor(r, &place)
	var rows []donorfile.Row
	var next *donorfile.Place
	var many bool
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		switch {
		case long:
		case text == "":
			rows, next, err = donorfile.Newest(r.Context(), tx, scopeOf(v), a.year(v), place, desk.RowsOf(r))
		default:
			rows, next, many, err = donorfile.Find(r.Context(), tx, scopeOf(v), text, a.year(v), place, desk.RowsOf(r))
		}
		return err
	})
	if err != nil {
		return err
	}
	p := ListPage{Page: a.PageOf(r, v, "donors")}
	p.List = desk.List{
		Search: &desk.Search{
			Action: r.URL.Path, Label: a.say(v, "office.donors.search"), Hint: a.say(v, "office.donors.search_hint"), Value: typed, Long: long,
			Kept: desk.Kept(r.URL, "q"),
		},
		Table: a.listTable(v, rows), Empty: a.say(v, "office.donors.empty"),
		Larger: desk.Larger(r), CSV: a.fileURL(r, "csv"), XLSX: a.fileURL(r, "xlsx"),
	}
	p.List.Unknown.Names(r, "q")
	switch {
	case text == "":
		p.List.Says = a.say(v, "office.donors.says_newest")
	case many:
		p.List.Says = a.say(v, "office.donors.says_many")
	case next != nil || placed:
		p.List.Says = a.View.PhraseN(v.Language, "office.donors.says_page", len(rows))
	default:
		p.List.Says = a.View.PhraseN(v.Language, "office.donors.says_found", len(rows))
	}
	if text != "" {
		p.List.Empty = a.say(v, "office.donors.empty_found")
	}
	if placed {
		p.List.First = desk.With(r.URL)
	}
	if next != nil {
		p.List.Next = desk.With(r.URL, "after", desk.Cursor(next))
	}
	if done, err := a.WriteFile(w, r, v, "donors", p.List.Table); done || err != nil {
		return err
	}
	return a.Write(w, http.StatusOK, "donors", v.Language, p)
}

// fileURL returns the address of a page's rows as a file: its place in the list stays.
func (a *Area) fileURL(r *http.Request, format string) string {
	return desk.With(r.URL, "format", format, "after", r.URL.Query().Get("after"))
}

func (a *Area) listTable(v web.StaffVisit, rows []donorfile.Row) desk.Table {
	year := a.year(v)
	t := desk.Table{Caption: a.say(v, "office.nav.donors"), Columns: []desk.Column{
		{Name: "donor", Label: a.say(v, "office.donors.column.name"), Wide: true},
		{Name: "last_gift", Label: a.say(v, "office.donors.column.last")},
		{Name: "gifts", Label: a.say(v, "office.donors.column.gifts"), Number: true},
		{Name: "this_year", Label: a.say(v, "office.donors.column.in_year", "year", year), Number: true},
		{Name: "last_year", Label: a.say(v, "office.donors.column.in_year", "year", year-1), Number: true},
		{Name: "email", Label: a.say(v, "office.donors.column.email")},
	}}
	amount := func(minor int64) desk.Cell { return desk.AmountCell(money.New(minor, v.Entity.Currency)) }
	for _, r := range rows {
		name := desk.Cell{Text: r.Name()}
		switch {
		case r.Erased:
			name = desk.Cell{Text: a.say(v, "office.donors.erased"), File: "erased"}
		case name.Text == "":
			name = desk.Cell{Text: a.say(v, "office.donors.nameless"), File: " "}
		}
		last := desk.Cell{}
		if r.LastAt != nil {
			last.Day = r.LastAt.In(v.Entity.Location())
		}
		t.Rows = append(t.Rows, desk.Row{URL: v.Path("donors/" + r.ID.String()), Cells: []desk.Cell{
			name, last, {Text: strconv.Itoa(r.Gifts)}, amount(r.ThisYear), amount(r.LastYear), {Text: r.Email},
		}})
	}
	return t
}

// typedText returns what was typed as one line that the database takes.
func typedText(typed string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(clean.Line(typed), ""), "\x00", "")
}

// say returns a phrase in the visit's language.
func (a *Area) say(v web.StaffVisit, key string, args ...any) string {
	return a.View.Phrase(v.Language, key, args...)
}
