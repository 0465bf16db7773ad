package disputes

import (
	"konbit/internal/platform/typeset"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// Area serves the pages.
type Area struct {
	*desk.Desk
	Fonts *typeset.Fonts // of the document
	// AtProcessor returns the address of a dispute on the processor's dashboard.
	AtProcessor func(entitySlug, ref string) string
}

// Routes returns the area's routes.
func (a *Area) Routes() []web.Route {
	readers := a.In(desk.Readers...)
	return []web.Route{
		web.Get("/office/{entity}/disputes", web.Page, readers, a.listGet).Limited(desk.Pages),
		web.Get("/office/{entity}/disputes/{dispute}", web.Page, readers, a.disputeGet).Limited(desk.Pages),
		web.Get("/office/{entity}/disputes/{dispute}/evidence", web.Page, desk.Files(readers), a.evidenceGet).Limited(desk.Pages),
	}
}
