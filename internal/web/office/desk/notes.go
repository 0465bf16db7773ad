package desk

import (
	"net/http"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/office/note"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/view"
	"konbit/internal/web"
)

// Notes are the notes on an object, with the form for another one. Templates show them by "office-notes".
type Notes struct {
	All  []Note
	Form *NoteForm // nil: the reader writes none
}

// Note is a note as pages show it.
type Note struct {
	Text   string // empty after an erasure
	Author string
	At     time.Time
}

// NoteForm is the form for a note. It is posted to the page notes of the scope, which leads back to the object's page.
type NoteForm struct {
	Action, Token string
	On, ID        string // the object
	Submission    string // one-time id
	Text          view.Field
}

// NotesOn returns the notes on an object. tx is a transaction of Desk.Read.
func (d *Desk) NotesOn(r *http.Request, v web.StaffVisit, tx *sqlx.Tx, on note.Object) (n Notes, err error) {
	all, err := note.Of(r.Context(), tx, on)
	if err != nil {
		return n, err
	}
	for _, stored := range all {
		shown := Note{stored.Text, stored.Author, d.Moment(stored.At, ZoneOf(v))}
		if shown.Author == "" { // staff of the entity, whom staff of a project do not see
			shown.Author = v.Entity.LegalName
		}
		n.All = append(n.All, shown)
	}
	n.Form = d.NoteFormOn(v, on, d.NewID().String(), "", nil)
	return n, nil
}

// NoteFormOn returns the form for a note with what was typed; nil if the visit's person writes none.
func (d *Desk) NoteFormOn(v web.StaffVisit, on note.Object, submission, typed string, problems []fault.Field) *NoteForm {
	if !v.Has(v.Scope, staff.Finance) {
		return nil
	}
	text := Field(d.View.NewForm(v.Language, problems), d.View, "text", typed, view.Field{Area: true, Required: true})
	return &NoteForm{
		Action: v.Path("notes"), Token: d.Staff.FormToken(v.Session), On: string(on.Kind), ID: on.ID.String(), Submission: submission, Text: text,
	}
}
