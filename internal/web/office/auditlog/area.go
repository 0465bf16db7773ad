package auditlog

import (
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/people/audit"
	"konbit/internal/people/staff"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// Area serves the audit log.
type Area struct{ *desk.Desk }

// Routes returns the area's routes.
func (a *Area) Routes() []web.Route {
	return []web.Route{
		web.Get("/office/{entity}/audit", web.Page, a.In(staff.Admin, staff.Auditor), a.list).Limited(desk.Pages),
	}
}

// operator is the value of ?person= for acts on the command line.
const operator = "operator"

// form is what narrows the list, as it was typed.
type form struct {
	Person, Act, Object string
	Unknown             desk.Unknown
}

// option is a choice of a select element.
type option struct {
	Value, Label string
	Chosen       bool
}

// page is the list with its form.
type page struct {
	desk.Page
	desk.List
	Action   string
	Kept     []desk.Hidden
	People   []option
	Acts     []option
	Object   view.Field
	From, To view.Field
	Narrowed bool
}

func (a *Area) list(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	f, typed := filterOf(r, v)
	var (
		entries []audit.Entry
		people  []staff.Colleague
		links   map[int64]string
	)
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if people, err = staff.Colleagues(r.Context(), tx); err != nil {
			return err
		}
		a.findObject(v, &f, people)
		if entries, err = audit.Find(r.Context(), tx, f); err != nil {
			return err
		}
		links, err = linksOf(r.Context(), tx, v, entries)
		return err
	})
	if err != nil {
		return err
	}
	p := page{Page: a.PageOf(r, v, "audit"), Action: r.URL.Path, Kept: desk.Kept(r.URL, "person", "act", "object", "from", "to")}
	more := len(entries) > desk.PageSize
	entries = entries[:min(len(entries), desk.PageSize)]
	p.List = a.listOf(r, v, entries, people, links, more)
	p.Unknown = typed.Unknown
	if done, err := a.WriteFile(w, r, v, "audit", p.List.Table); done || err != nil {
		return err
	}
	p.People = []option{{"", a.View.Phrase(v.Language, "office.audit.everybody"), f.StaffID == uuid.NullUUID{} && !f.Operator},
		{operator, a.View.Phrase(v.Language, "office.audit.operator"), f.Operator}}
	for _, c := range people {
		p.People = append(p.People, option{c.ID.String(), c.Name + ", " + c.Email, f.StaffID.Valid && c.ID == f.StaffID.UUID})
	}
	p.Acts = []option{{"", a.View.Phrase(v.Language, "office.audit.every_act"), f.Act == ""}}
	for _, act := range Acts {
		p.Acts = append(p.Acts, option{act, a.actWords(v, act), act == f.Act})
	}
	fields := p.Form(a.View)
	p.Object = desk.Field(fields, a.View, "object", typed.Object, view.Field{Autocomplete: "off", HideOptional: true})
	p.From = desk.Field(fields, a.View, "from", r.URL.Query().Get("from"), view.Field{Type: "date", HideOptional: true})
	p.To = desk.Field(fields, a.View, "to", r.URL.Query().Get("to"), view.Field{Type: "date", HideOptional: true})
	p.Narrowed = f.StaffID.Valid || f.Operator || f.Act != "" || f.ObjectID != "" || !f.From.IsZero() || !f.To.IsZero()
	return a.Write(w, http.StatusOK, "audit", v.Language, p)
}

// findObject reads what was typed as an object as rows show it: the beginning of an id, a kind of object, or the name of a person.
func (a *Area) findObject(v web.StaffVisit, f *audit.Filter, people []staff.Colleague) {
	text := strings.ToLower(strings.TrimRight(strings.TrimSpace(f.ObjectID), ".…"))
	f.ObjectID = strings.TrimRight(f.ObjectID, ".…")
	if text == "" {
		return
	}
	for _, p := range people {
		if strings.ToLower(p.Name) == text {
			f.ObjectKind, f.ObjectID = "staff", p.ID.String()
			return
		}
	}
	for _, kind := range kinds {
		if words := strings.ToLower(a.View.Phrase(v.Language, "office.audit.kind."+kind)); words == text || strings.HasSuffix(words, " "+text) || kind == text {
			f.ObjectKind, f.ObjectID = kind, ""
			return
		}
	}
}

// filterOf reads the address. What cannot be read narrows nothing, and the page says so; except a person who is
// none and an object that is none: these find nothing.
func filterOf(r *http.Request, v web.StaffVisit) (f audit.Filter, typed form) {
	q := r.URL.Query()
	typed = form{Person: q.Get("person"), Act: q.Get("act"), Object: strings.TrimSpace(q.Get("object"))}
	f = audit.Filter{
		EntityID: uuid.NullUUID{UUID: v.Entity.ID, Valid: true}, OrganisationID: v.Scope.OrganisationID, Installation: v.Organisation == nil,
		ObjectID: typed.Object, Limit: desk.PageSize + 1,
	}
	switch id, err := uuid.Parse(typed.Person); {
	case typed.Person == operator:
		f.Operator = true
	case typed.Person != "":
		f.StaffID = uuid.NullUUID{UUID: id, Valid: true} // uuid.Nil, who is nobody, after an error
		_ = err
	}
	typed.Unknown.Names(r, "person", "act", "object", "from", "to")
	if slices.Contains(Acts, typed.Act) || groupOf(typed.Act) {
		f.Act = typed.Act
	} else {
		typed.Unknown.Add("act", typed.Act)
	}
	zone := v.Entity.Location()
	if f.From, f.To = typed.Unknown.DayOf(r, "from", zone), typed.Unknown.DayOf(r, "to", zone); !f.To.IsZero() {
		f.To = f.To.AddDate(0, 0, 1)
	}
	var place struct{ Before int64 }
	if desk.ReadCursor(r, &place) {
		f.Before = place.Before
	}
	return f, typed
}
