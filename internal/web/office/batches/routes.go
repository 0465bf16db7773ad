package batches

import (
	"time"

	"konbit/internal/office/offline"
	"konbit/internal/people/staff"
	"konbit/internal/platform/guard"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// Area serves the pages.
type Area struct {
	*desk.Desk
	Poster offline.Poster
}

// typists type batches; readers of money see them too.
var typists = []staff.RoleName{staff.Entry, staff.Finance}

// Limits of what a person may do. Each answer of the server to a row counts: its donor, its choice, its storing.
var (
	begins = web.Limit{Name: "staff batches", Words: "office.limit.batches", Limit: guard.Limit{Max: 60, Window: time.Hour}}
	rows   = web.Limit{Name: "staff batch rows", Words: "office.limit.batch_rows", Limit: guard.Limit{Max: 600, Window: 10 * time.Minute}}
)

// Routes returns the area's routes.
func (a *Area) Routes() []web.Route {
	readers := a.In(staff.Entry, staff.Finance, staff.Auditor)
	return []web.Route{
		web.Get("/office/{entity}/batches", web.Page, readers, a.listGet).Limited(desk.Pages),
		web.Post("/office/{entity}/batches", web.Page, a.In(typists...), a.beginPost).Limited(begins),
		web.Get("/office/{entity}/batches/{n}", web.Page, readers, a.batchGet).Limited(desk.Pages),
		web.Get("/office/{entity}/batches/{n}/papers", web.Page, desk.Files(a.In(staff.Finance)), a.papersGet).Limited(desk.Pages),
		web.Post("/office/{entity}/batches/{n}", web.Page, a.In(typists...), a.batchPost).Limited(rows),
	}
}
