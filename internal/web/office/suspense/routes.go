package suspense

import (
	"time"

	"konbit/internal/office/suspense"
	"konbit/internal/people/staff"
	"konbit/internal/platform/guard"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// Area serves the pages.
type Area struct {
	*desk.Desk
	Resolver suspense.Resolver
	NewRef   func() string // a public reference of a gift
}

var asks = web.Limit{Name: "staff suspense requests", Words: "office.limit.suspense", Limit: guard.Limit{Max: 60, Window: time.Hour}}

// Routes returns the area's routes.
func (a *Area) Routes() []web.Route {
	readers := a.In(desk.Readers...)
	return []web.Route{
		web.Get("/office/{entity}/suspense", web.Page, readers, a.listGet).Limited(desk.Pages),
		web.Get("/office/{entity}/suspense/{subject}", web.Page, readers, a.amountGet).Limited(desk.Pages),
		web.Post("/office/{entity}/suspense/{subject}", web.Page, a.In(staff.Finance), a.amountPost).Limited(asks),
	}
}
