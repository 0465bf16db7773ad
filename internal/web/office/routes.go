package office

import (
	"net/url"
	"time"

	"konbit/internal/people/staff"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/phrase"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// Area serves the pages of staff.
type Area struct{ *desk.Desk }

// New returns the area. Its Desk is what the areas of the other pages of the office take.
func New(k *web.Kernel) *Area {
	a := &Area{&desk.Desk{Kernel: k, Catalog: k.StaffCatalog}}
	a.AskToSignIn = a.askToSignIn
	return a
}

// Addresses that several handlers use.
const (
	homePath       = "/office"
	signInPath     = "/office/sign-in"
	invitationPath = "/office/invitation"
	setupPath      = "/office/setup"
	accountPath    = "/office/account"
)

// The limits of the area's routes. They count the person (STAFF 28).
var (
	ownChanges = web.Limit{Name: "staff account changes", Words: "office.limit.account", Limit: guard.Limit{Max: 60, Window: time.Hour}}
	changes    = web.Limit{Name: "staff role changes", Words: "office.limit.roles", Limit: guard.Limit{Max: 60, Window: time.Hour}}
	links      = web.Limit{Name: "staff links", Words: "office.limit.links", Limit: guard.Limit{Max: 60, Window: 15 * time.Minute}}
)

const (
	signInsInside = "people/staff: staff sign-ins"
	endsItself    = "it ends a session, and cannot be repeated without another"
)

// Routes returns the area's routes.
func (a *Area) Routes() []web.Route {
	signedIn := a.StaffSession(a.AskToSignIn)
	setup := a.StaffSetup(a.AskToSignIn)
	reads := a.In(staff.Admin, staff.Auditor)
	admin := a.In(staff.Admin)
	return []web.Route{
		web.Get(signInPath, web.Page, web.Public, a.signInGet),
		web.Post(signInPath, web.Page, web.Public, a.signInPost).LimitedInside(signInsInside),
		web.Get(invitationPath, web.Page, web.Public, a.invitationGet),
		web.Post(invitationPath, web.Page, web.Public, a.invitationPost).Limited(links),
		web.Get(setupPath, web.Page, setup, a.setupGet).Limited(desk.Pages),
		web.Post(setupPath, web.OwnDeadline, setup, a.setupPost).Limited(ownChanges),
		web.Post("/office/sign-out", web.Page, setup, a.signOutPost).Unlimited(endsItself),

		web.Get(homePath, web.Page, signedIn, a.homeGet).Limited(desk.Pages),
		web.Get(accountPath, web.Page, signedIn, a.accountGet).Limited(desk.Pages),
		web.Post(accountPath, web.Page, signedIn, a.accountPost).Limited(ownChanges),
		web.Get("/office/{entity}/people", web.Page, reads, a.peopleGet).Limited(desk.Pages),
		web.Post("/office/{entity}/people", web.Page, admin, a.peoplePost).Limited(changes),
	}
}

// InvitationLink returns the function that makes the links of invitations and resets. The secret is behind the #, which browsers
// do not send.
func InvitationLink(base *url.URL) func(token string, lang phrase.Language) string {
	return func(token string, lang phrase.Language) string {
		return web.Absolute(base, invitationPath+"?lang="+url.QueryEscape(string(lang))+"#"+url.PathEscape(token))
	}
}
