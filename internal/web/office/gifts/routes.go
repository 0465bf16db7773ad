// Package gifts serves the gifts of a scope to staff: the list with search, filters and files, the page of a gift with its
// whole history, the export of a list, and the notes of staff on any object.
package gifts

import (
	"time"

	"konbit/internal/people/staff"
	"konbit/internal/platform/guard"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// Area serves the pages.
type Area struct{ *desk.Desk }

var newNotes = web.Limit{Name: "staff notes", Words: "office.limit.notes", Limit: guard.Limit{Max: 120, Window: time.Hour}}

// Routes returns the area's routes.
func (a *Area) Routes() []web.Route {
	return []web.Route{
		web.Post("/office/{entity}/notes", web.Page, a.In(staff.Finance), a.notesPost).Limited(newNotes),
	}
}
