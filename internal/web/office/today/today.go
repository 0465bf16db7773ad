package today

import (
	"html/template"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/people/staff"
	"konbit/internal/platform/money"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// Page is the first page of a scope.
type Page struct {
	desk.Page
	Roles   string  // the person's, in words
	Groups  []Group // what needs a person, the most urgent first
	Clear   string  // the phrase that says that nothing does; empty: something does
	Unknown desk.Unknown
	Search  *desk.Search // of gifts; nil: the person reads none
	Here    *Here        // nil: the person reads money
	History *History
	Percent int
	Month   Month
	Charts  []Chart
}

// Group is what needs a person, of one sort.
type Group struct {
	Title string
	Items []Item
	All   string // address of the whole list; empty if there is none
	More  string // its words; empty if all of them are shown
}

// Item is one thing that needs a person.
type Item struct {
	Title, Next string
	URL         string // may be empty
	State       string // good, hold or bad
	Says        string // the state in words
}

// Month is the month of the pictures, and the ways to others.
type Month struct {
	Name          string
	Before, After string // addresses; After is empty in the present month
}

// Chart is a picture with its sentence and its table.
type Chart struct {
	ID, Says, URL string
	SVG           template.HTML
	Table         desk.Table
}

// maxItems is how many items of a group the page shows.
const maxItems = 5

func (a *Area) todayGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	p := Page{Page: a.PageOf(r, v, "scope"), Roles: a.rolesOf(v)}
	if desk.IsReader(v) {
		first, _ := a.monthOf(r, v)
		p.Unknown.Check(r, "month", monthText(first))
		p.Search = &desk.Search{Action: r.URL.Path + "/gifts", Label: a.say(v, "office.gifts.search"), Hint: a.say(v, "office.gifts.search_hint")}
		if v.Organisation != nil {
			p.Search.Kept = []desk.Hidden{{Name: "org", Value: v.Organisation.Slug}}
		}
	}
	if a.History != nil {
		if p.History = a.History(r.Context()); p.History != nil {
			p.Percent = p.History.Percent()
		}
	}
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if p.Groups, err = a.attention(r, v, tx); err != nil {
			return err
		}
		own, waits, err := a.own(r, v, tx)
		if err != nil {
			return err
		}
		if len(p.Groups) == 0 && !waits {
			p.Clear = nothingWaits(v)
		}
		if len(own.Items) > 0 {
			p.Groups = append(p.Groups, own)
		}
		if !desk.IsReader(v) {
			p.Here, err = a.here(r, v, tx)
			return err
		}
		p.Month, p.Charts, err = a.month(r, v, tx)
		return err
	})
	if err != nil {
		return err
	}
	return a.Write(w, http.StatusOK, "today", v.Language, p)
}

func (a *Area) rolesOf(v web.StaffVisit) string {
	var names []string
	for _, name := range staff.RoleNames {
		if v.Has(v.Scope, name) {
			names = append(names, a.View.Phrase(v.Language, "office.role."+string(name)))
		}
	}
	return strings.Join(names, ", ")
}

// fundsOf returns the funds that a visit is narrowed to; nil if its scope is the whole entity.
func fundsOf(v web.StaffVisit) []uuid.UUID {
	if v.Organisation == nil {
		return nil
	}
	ids := []uuid.UUID{}
	for _, f := range v.Catalog.FundsOf(v.Organisation.ID) {
		ids = append(ids, f.ID)
	}
	return ids
}

func (a *Area) amount(v web.StaffVisit, minor int64) money.Amount {
	return money.New(minor, v.Entity.Currency)
}

// nameOf returns the name of a fund as lists show it.
func nameOf(v web.StaffVisit, id uuid.UUID) (f fund.Fund, name string) {
	f, err := v.Catalog.Fund(id)
	if err != nil {
		return f, "" // the catalog is older than the fund
	}
	return f, f.Name.In(v.Language)
}

// address returns the address of a page of the scope with values of its query.
func address(v web.StaffVisit, page string, names ...string) string {
	path := v.Path(page)
	for i := 0; i+1 < len(names); i += 2 {
		if names[i+1] == "" {
			continue
		}
		if strings.Contains(path, "?") {
			path += "&"
		} else {
			path += "?"
		}
		path += names[i] + "=" + template.URLQueryEscaper(names[i+1])
	}
	return path
}
