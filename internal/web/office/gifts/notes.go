package gifts

import (
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/office/note"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// NotePage is the form for a note by itself: it is shown if what was typed cannot be kept.
type NotePage struct {
	desk.Page
	Errors []view.FormError
	Form   *desk.NoteForm
}

// notesPost adds a note to the object that the form names, and leads back to the object's page.
func (a *Area) notesPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	f := r.PostForm
	on := note.Object{Kind: note.Kind(f.Get("on"))}
	submission, err := uuid.Parse(f.Get("submission"))
	if err == nil {
		on.ID, err = uuid.Parse(f.Get("id"))
	}
	if err != nil || !slices.Contains(note.Kinds, on.Kind) {
		return web.NotFound()
	}
	var place note.Place
	err = a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		place, err = note.PlaceOf(r.Context(), tx, on)
		return err
	})
	if err != nil {
		return err
	}
	if place.EntityID != v.Entity.ID || v.Organisation != nil && place.OrganisationID.Valid && place.OrganisationID != v.Scope.OrganisationID {
		return web.NotFound()
	}
	text := strings.ReplaceAll(f.Get("text"), "\r\n", "\n")
	problems := note.Check(text)
	if problems == nil {
		err = staff.InTx(r.Context(), a.DB, v.Session, func(tx *sqlx.Tx) error {
			return note.AddTx(r.Context(), tx, note.New{
				ID: submission, EntityID: v.Entity.ID, OrganisationID: v.Scope.OrganisationID, Object: on, Text: text,
			})
		})
		if fault.Is(err, fault.Conflict) {
			submission, problems, err = a.NewID(), []fault.Field{{Name: "text", Phrase: "office.note.error.other"}}, nil
		}
	}
	if err != nil {
		return err
	}
	if problems != nil {
		p := NotePage{Page: a.PageOf(r, v, ""), Form: a.NoteFormOn(v, on, submission.String(), text, problems)}
		p.Problems = problems
		p.Errors = desk.ErrorsOf(p.Page.Form(a.View), v.Language, a.View)
		return a.Write(w, http.StatusUnprocessableEntity, "note", v.Language, p)
	}
	return desk.Redirect(w, r, objectPage(v, on, place)+"#notes")
}

// objectPage returns the address of an object's page.
func objectPage(v web.StaffVisit, on note.Object, place note.Place) string {
	switch on.Kind {
	case note.Gift:
		return v.Path("gifts/" + place.Ref)
	case note.Donor:
		return v.Path("donors/" + place.Ref)
	case note.Task:
		return v.Path("tasks/" + place.Ref)
	default:
		return v.Path("payouts/" + place.Ref)
	}
}
