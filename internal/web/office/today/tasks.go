package today

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/task"
	"konbit/internal/office/note"
	"konbit/internal/office/refund"
	"konbit/internal/people/audit"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// TasksPage lists tasks.
type TasksPage struct {
	desk.Page
	List desk.List
}

// TaskPage is a task.
type TaskPage struct {
	desk.Page
	Title, Next string
	State, Says string // good, hold or bad, in words
	Pairs       []desk.Cell
	Labels      []string
	Closes      string     // what closes it, in words
	Close       *CloseForm // nil: the reader cannot close it
	Errors      []view.FormError
	Notes       desk.Notes
}

// CloseForm is the form that closes a task.
type CloseForm struct {
	Action string
	Reason view.Field
}

// maxReason is the length of a reason in characters.
const maxReason = 500

// sections are the groups of tasks that Today shows.
var sections = []string{"tasks", "emails", "checkers"}

// kindsOf returns the kinds of the tasks of a group of Today.
func kindsOf(about string) (codes []string) {
	for _, k := range task.Kinds() {
		if section(k) == about {
			codes = append(codes, k.Code)
		}
	}
	return codes
}

func (a *Area) tasksGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	closed := desk.Chosen(r, "state", "open", "closed") == "closed"
	about := desk.Chosen(r, "about", append([]string{""}, sections...)...)
	var after task.Cursor
	desk.ReadCursor(r, &after)
	var page []task.Stored
	var next *task.Cursor
	count := 0
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if v.Organisation != nil { // tasks are the entity's
			return nil
		}
		open, err := task.OpenByKind(r.Context(), tx, v.Entity.ID)
		if err != nil {
			return err
		}
		var kinds []string // nil: all
		if about != "" {
			kinds = kindsOf(about)
		}
		for code := range open {
			if about == "tasks" && task.Find(code) == nil { // of another version of the program
				kinds = append(kinds, code)
			}
		}
		if page, next, err = task.Page(r.Context(), tx, v.Entity.ID, closed, kinds, after, desk.PageSize); err != nil {
			return err
		}
		for code, n := range open {
			if kinds == nil || slices.Contains(kinds, code) {
				count += n
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	says := a.count(v, "office.tasks.open", count)
	if closed {
		says = a.say(v, "office.tasks.closed")
	}
	p := TasksPage{Page: a.PageOf(r, v, "tasks"), List: desk.List{
		Says: says, Empty: a.say(v, "office.tasks.empty"), Table: a.tasksTable(v, page, closed), CSV: desk.With(r.URL, "format",
			"csv"), XLSX: desk.With(r.URL, "format", "xlsx"),
		Filters: []desk.Filter{
			{Label: a.say(v, "office.tasks.state"), Options: []desk.Option{
				{Label: a.say(v, "office.tasks.are_open"), URL: desk.With(r.URL, "state", ""), Current: !closed},
				{Label: a.say(v, "office.tasks.are_closed"), URL: desk.With(r.URL, "state", "closed"), Current: closed}}},
			{Label: a.say(v, "office.tasks.about")},
		},
	}}
	for _, of := range append([]string{""}, sections...) {
		key := "office.tasks.about." + of
		if of == "" {
			key = "office.tasks.about.all"
		}
		p.List.Filters[1].Options = append(p.List.Filters[1].Options, desk.Option{Label: a.say(v, key), URL: desk.With(r.URL, "about", of),
			Current: about == of})
	}
	p.List.Unknown.Names(r, "state", "about")
	p.List.Unknown.Check(r, "state", "open", "closed")
	p.List.Unknown.Check(r, "about", sections...)
	if after != (task.Cursor{}) {
		p.List.First = desk.With(r.URL)
	}
	if next != nil {
		p.List.Next = desk.With(r.URL, "after", desk.Cursor(next))
	}
	if done, err := a.WriteFile(w, r, v, "tasks", p.List.Table); done || err != nil {
		return err
	}
	return a.Write(w, http.StatusOK, "tasks", v.Language, p)
}

func (a *Area) tasksTable(v web.StaffVisit, page []task.Stored, closed bool) desk.Table {
	t := desk.Table{Caption: a.say(v, "office.nav.tasks"), Columns: []desk.Column{
		{Name: "task", Label: a.say(v, "office.tasks.task")}, {Name: "urgency", Label: a.say(v, "office.tasks.urgency")},
		{Name: "next", Label: a.say(v, "office.tasks.next"), Wide: true}, {Name: "closes", Label: a.say(v, "office.tasks.closes")},
		{Name: "opened_at", Label: a.say(v, "office.tasks.since")}}}
	if closed {
		t.Columns = append(t.Columns, desk.Column{Name: "closed_at", Label: a.say(v, "office.tasks.closed_at")})
	}
	zone := desk.ZoneOf(v)
	for _, s := range page {
		item := a.itemOf(v, s)
		urgency, closes := a.urgency(v, s), a.closes(v, s)
		row := desk.Row{URL: item.URL, Cells: []desk.Cell{{Text: item.Title, File: s.Code}, urgency, {Text: item.Next}, closes,
			{At: a.Moment(s.OpenedAt, zone)}}}
		if closed {
			row.Cells = append(row.Cells, desk.Cell{At: a.Moment(*s.ClosedAt, zone)})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (a *Area) urgency(v web.StaffVisit, s task.Stored) desk.Cell {
	severity, state := task.Normal, "hold"
	if k := s.Kind(); k != nil {
		severity = k.Severity
	}
	switch {
	case s.ClosedAt != nil:
		state = "plain"
	case severity == task.Urgent:
		state = "bad"
	}
	return desk.Cell{Text: a.say(v, "office.tasks.urgency."+string(severity)), State: state, File: string(severity)}
}

func (a *Area) closes(v web.StaffVisit, s task.Stored) desk.Cell {
	closes := task.ByPerson
	if k := s.Kind(); k != nil {
		closes = k.Closes
	}
	return desk.Cell{Text: a.say(v, "office.tasks.closes."+string(closes)), File: string(closes)}
}

// taskOf returns a task of the visit's entity. The same 404 answers for a task of another one, of no one, and in the scope of
// a project.
func (a *Area) taskOf(r *http.Request, v web.StaffVisit, tx *sqlx.Tx) (t task.Stored, err error) {
	id, err := uuid.Parse(chi.URLParam(r, "task"))
	if err != nil || v.Organisation != nil {
		return t, web.NotFound()
	}
	t, err = task.ByID(r.Context(), tx, id)
	if fault.Is(err, fault.NotFound) || err == nil && t.EntityID != v.Entity.ID {
		return t, web.NotFound()
	}
	return t, err
}

func (a *Area) taskGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	p, err := a.taskPage(r, v, "", nil)
	if err != nil {
		return err
	}
	return a.Write(w, http.StatusOK, "task", v.Language, p)
}

func (a *Area) taskPage(r *http.Request, v web.StaffVisit, reason string, problems []fault.Field) (p TaskPage, err error) {
	p = TaskPage{Page: a.PageOf(r, v, "tasks")}
	p.Problems = problems
	err = a.Read(r, v, func(tx *sqlx.Tx) error {
		t, err := a.taskOf(r, v, tx)
		if err != nil {
			return err
		}
		item := a.itemOf(v, t)
		p.Title, p.Next, p.State, p.Says = item.Title, item.Next, item.State, item.Says
		p.Closes = a.say(v, "office.tasks.will_close."+a.closes(v, t).File)
		if err := a.pairsOf(r, v, tx, &p, t); err != nil {
			return err
		}
		if p.Notes, err = a.NotesOn(r, v, tx, note.Object{Kind: note.Task, ID: t.ID}); err != nil {
			return err
		}
		if t.ClosedAt != nil {
			p.State, p.Closes = "good", ""
			p.Says, err = a.closedText(r, v, tx, t)
			return err
		}
		owed, err := isOwed(r, tx, t)
		if err != nil {
			return err
		}
		switch {
		case owed:
			p.Closes = a.say(v, "office.tasks.owed")
		case v.Has(v.Scope, staff.Finance):
			form := p.Page.Form(a.View)
			field := desk.Field(form, a.View, "reason", reason, view.Field{Area: true, Required: true})
			field.Label, field.Hint = a.say(v, "office.tasks.reason"), a.say(v, "office.tasks.reason_hint")
			p.Close = &CloseForm{v.Path("tasks/" + t.ID.String()), field}
			p.Errors = desk.ErrorsOf(form, v.Language, a.View, field)
		}
		return nil
	})
	return p, err
}

// isOwed reports whether a task is about a failed refund whose money is still owed to the donor. Nobody closes it before.
func isOwed(r *http.Request, tx *sqlx.Tx, t task.Stored) (bool, error) {
	if t.Code != "refund_failed" || t.ClosedAt != nil {
		return false, nil
	}
	return refund.IsOwed(r.Context(), tx, t.EntityID, t.Detail["of"])
}

func (a *Area) closedText(r *http.Request, v web.StaffVisit, tx *sqlx.Tx, t task.Stored) (string, error) {
	at := a.moment(v, *t.ClosedAt)
	if t.ClosedBy == nil {
		return a.say(v, "office.tasks.closed_itself", "moment", at), nil
	}
	names, err := staff.NamesOf(r.Context(), tx, *t.ClosedBy)
	if err != nil {
		return "", err
	}
	return a.say(v, "office.tasks.closed_by", "moment", at, "name", cmp.Or(names[*t.ClosedBy], v.Entity.LegalName)), nil
}

// taskPost closes a task, with a reason, which is in the audit log. A task that is closed already stays as it is.
func (a *Area) taskPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	var t task.Stored
	owed := false
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if t, err = a.taskOf(r, v, tx); err == nil {
			owed, err = isOwed(r, tx, t)
		}
		return err
	})
	if err != nil {
		return err
	}
	if owed {
		p, err := a.taskPage(r, v, "", nil) // it says why
		if err != nil {
			return err
		}
		return a.Write(w, http.StatusConflict, "task", v.Language, p)
	}
	reason := strings.TrimSpace(r.PostForm.Get("reason"))
	if n := len([]rune(reason)); n == 0 || n > maxReason {
		p, err := a.taskPage(r, v, reason, []fault.Field{{Name: "reason", Phrase: "office.tasks.reason_needed"}})
		if err != nil {
			return err
		}
		return a.Write(w, http.StatusUnprocessableEntity, "task", v.Language, p)
	}
	err = staff.InTx(r.Context(), a.StaffDB, v.Session, func(tx *sqlx.Tx) error {
		closed, err := task.CloseByTx(r.Context(), tx, t.ID, v.StaffID, a.Now())
		if err != nil || !closed {
			return err
		}
		return audit.RecordTx(r.Context(), tx, audit.Act{
			Name: "task.closed", EntityID: uuid.NullUUID{UUID: t.EntityID, Valid: true}, ObjectKind: "finance_task", ObjectID: t.ID.String(),
			After: map[string]string{"kind": t.Code, "subject": t.Subject}, Reason: reason,
		})
	})
	if err != nil {
		return err
	}
	return desk.Redirect(w, r, v.Path("tasks/"+t.ID.String()))
}
