package today

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/people/approval"
	"konbit/internal/people/staff"
	"konbit/internal/platform/guard"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// Area serves the pages.
type Area struct {
	*desk.Desk
	// History returns how far the demo's history is made; nil if there is no demo, or it is done.
	History func(ctx context.Context) *History
	// TitleTx says in one line what a request would do. tx is a transaction of Desk.Read.
	TitleTx func(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, q approval.Stored) (string, error)
	// WaitingTx returns the requests that wait for the visit's person. tx is a transaction of Desk.Read.
	WaitingTx func(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit) ([]approval.Stored, error)
}

var closings = web.Limit{Name: "staff task closings", Words: "office.limit.tasks", Limit: guard.Limit{Max: 120, Window: time.Hour}}

// Routes returns the area's routes.
func (a *Area) Routes() []web.Route {
	anyRole, readers := a.In(staff.RoleNames...), a.In(desk.Readers...)
	return []web.Route{
		web.Get("/office/{entity}", web.Page, anyRole, a.todayGet).Limited(desk.Pages),
		web.Get("/office/{entity}/tasks", web.Page, readers, a.tasksGet).Limited(desk.Pages),
		web.Get("/office/{entity}/tasks/{task}", web.Page, readers, a.taskGet).Limited(desk.Pages),
		web.Post("/office/{entity}/tasks/{task}", web.Page, a.In(staff.Finance), a.taskPost).Limited(closings),
		web.Get("/office/{entity}/entries", web.Page, readers, a.entriesGet).Limited(desk.Pages),
	}
}
