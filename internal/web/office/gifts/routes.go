package gifts

import (
	"context"
	"time"

	"konbit/internal/office/correction"
	"konbit/internal/people/staff"
	"konbit/internal/platform/guard"
	"konbit/internal/web"
	"konbit/internal/web/office/batches"
	"konbit/internal/web/office/desk"
)

// Area serves the pages.
type Area struct {
	*desk.Desk
	Cards       Cards
	Corrections correction.Service
	Rows        *batches.Area // the form of a gift
}

// Cards finds charges at the payment processor by the last four digits of their card.
type Cards interface {
	// ChargesOfCard returns those from a time on and before another (both zero: at any time), newest first, and whether there are more.
	ChargesOfCard(ctx context.Context, entitySlug, last4 string, from, until time.Time) (charges []string, more bool, err error)
}

// The limits count the person.
var (
	exports     = web.Limit{Name: "staff exports", Words: "office.limit.exports", Limit: guard.Limit{Max: 20, Window: time.Hour}}
	corrections = web.Limit{Name: "staff corrections", Words: "office.limit.corrections", Limit: guard.Limit{Max: 300, Window: time.Hour}}
	newNotes    = web.Limit{Name: "staff notes", Words: "office.limit.notes", Limit: guard.Limit{Max: 120, Window: time.Hour}}
)

// Routes returns the area's routes.
func (a *Area) Routes() []web.Route {
	reads := a.In(desk.Readers...)
	return []web.Route{
		web.Get("/office/{entity}/gifts", web.Page, reads, a.listGet).Limited(desk.Pages),
		web.Get("/office/{entity}/gifts/export", web.Page, desk.Files(reads), a.exportGet).Limited(desk.Pages),
		web.Post("/office/{entity}/gifts/export", web.Stream, desk.Files(reads), a.exportPost).Limited(exports),
		web.Get("/office/{entity}/gifts/{ref}", web.Page, reads, a.giftGet).Limited(desk.Pages),
		web.Get("/office/{entity}/gifts/{ref}/void", web.Page, reads, a.voidGet).Limited(desk.Pages),
		web.Post("/office/{entity}/gifts/{ref}/void", web.Page, a.In(staff.Finance), a.voidPost).Limited(corrections),
		web.Get("/office/{entity}/gifts/{ref}/correct", web.Page, reads, a.correctGet).Limited(desk.Pages),
		web.Post("/office/{entity}/gifts/{ref}/correct", web.Page, a.In(staff.Finance), a.correctPost).Limited(corrections),
		web.Post("/office/{entity}/notes", web.Page, a.In(staff.Finance), a.notesPost).Limited(newNotes),
	}
}
