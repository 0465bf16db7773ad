package batches

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/office/offline"
	"konbit/internal/platform/fault"
	"konbit/internal/view"
	"konbit/internal/web"
)

// Single is the form of one gift on a page of another area: the fields and rules of a row of a batch. Its template is "batch-row".
type Single struct {
	area  *Area
	visit web.StaffVisit
	batch offline.Batch // scope and day
	entry *entry
	known bool // the form named the donor whom it showed
}

// SingleOf reads the form that was posted. fixed are fields that the page decides.
func (a *Area) SingleOf(r *http.Request, v web.StaffVisit, b offline.Batch, fixed offline.Typed) *Single {
	s := &Single{area: a, visit: v, batch: b, entry: entryOf(r)}
	for name, text := range fixed {
		if s.entry.typed[name] = text; text == "" {
			delete(s.entry.typed, name)
		}
	}
	s.known = s.entry.donorID != "" && s.entry.typed["donor"] == s.entry.donorWas || s.entry.choice != ""
	return s
}

// SingleFrom returns a form that begins with what is known. who is the donor, if there is one, and name what the donor is called.
func (a *Area) SingleFrom(v web.StaffVisit, b offline.Batch, typed offline.Typed, who uuid.NullUUID, name string) *Single {
	s := &Single{area: a, visit: v, batch: b, entry: &entry{typed: maps.Clone(typed)}}
	if who.Valid {
		s.entry.donorID, s.entry.donorWas, s.entry.typed["donor"] = who.UUID.String(), name, name
		s.entry.chosen = match{Name: name, id: who.UUID, Value: who.UUID.String()}
	}
	return s
}

// Submission returns the form's one-time id; a new one if it has none.
func (s *Single) Submission() uuid.UUID {
	id, err := uuid.Parse(s.entry.submission)
	if err != nil {
		id = s.area.NewID()
		s.entry.submission = id.String()
	}
	return id
}

// Find finds the donor, and whom the gift is credited to. q is in a transaction of desk.Read.
func (s *Single) Find(ctx context.Context, q sqlx.QueryerContext) error {
	return s.area.find(ctx, q, s.visit, s.batch, nil, s.entry)
}

// JustFound reports whether the donor was found by this request: the form shows who it is before something is posted.
func (s *Single) JustFound() bool { return !s.known && s.entry.chosen.id != uuid.Nil }

// Check returns what was typed and what it means; ok is false if something is missing: Form shows what.
func (s *Single) Check() (typed offline.Typed, m offline.Meaning, ok bool) {
	m, ok = s.area.check(s.visit, s.batch, s.entry)
	return s.entry.typed, m, ok
}

// Add adds problems.
func (s *Single) Add(problems ...fault.Field) {
	s.entry.problems = append(s.entry.problems, problems...)
}

// Problems returns what is wrong.
func (s *Single) Problems() []fault.Field { return s.entry.problems }

// Errors returns the lines of the summary of errors.
func (s *Single) Errors() []view.FormError { return s.area.errorsOf(s.visit, s.entry.problems) }

// Field returns a field of the form with a label of batches.
func (s *Single) Field(form view.Form, name, value string, as view.Field) view.Field {
	return s.area.field(s.visit, form, name, value, as)
}

// Form returns the form, without some of its fields.
func (s *Single) Form(form view.Form, action string, without ...string) *RowForm {
	s.Submission()
	f := s.area.rowForm(s.visit, s.batch, form, s.entry)
	f.Action, f.NoFund = action, s.area.say(s.visit, "office.suspense.choose")
	left := func(field view.Field) bool { return slices.Contains(without, field.Name) }
	f.Fields, f.More = slices.DeleteFunc(f.Fields, left), slices.DeleteFunc(f.More, left)
	if slices.Contains(without, "method") {
		f.Methods = nil
	}
	if f.Focus != "" && slices.Contains(without, f.Focus) {
		f.Focus = "note"
	}
	if s.JustFound() && len(s.entry.problems) == 0 {
		f.Focus = "submit"
	}
	return f
}

// Refused returns what a page says about an act of package offline that was refused; nil if err is no such refusal.
func Refused(err error) []fault.Field {
	var row *offline.ErrRow
	if errors.As(err, &row) {
		return row.Fields
	}
	if problem := problemOf(err); problem != nil {
		return []fault.Field{*problem}
	}
	return nil
}
