// Package letters is the area of what a link in an email does without a session, besides opening a recurring gift
// (package portal): it stops emails of a kind, and it proves the new address of a donor who lost a mailbox.
// internal/mail/README.md lists what each link may do.
package letters

import (
	"net/url"
	"time"

	"konbit/internal/platform/guard"
	"konbit/internal/platform/phrase"
	"konbit/internal/web"
)

// Area serves these pages. Their templates and words are in templates/portal.
type Area struct{ *web.Kernel }

// oneClick is why mail programs may post the choice of emails.
const oneClick = "a mail program, whose page may be of another site, posts it with one click (RFC 8058); no cookie is read, the link is the permission"

const neverRefused = "stopping emails is never refused (RFC 8058), and sends nothing"

const movesOnce = "the link is signed, an operator ordered it, and a repeat changes nothing"

const oneRow = "it reads one row by its key"

// signInPath is the address of package portal's page where donors sign in.
const signInPath = "/sign-in"

// The limits of the area's routes; cmd/konbit/running/limits.md lists them.
var (
	emailsResumed = web.Limit{Name: "emails resumed by link", Words: "limit.emails", SignIn: signInPath, Limit: guard.Limit{Max: 10, Window: time.Hour}}
)

// MovePath is the address of the page that proves the new address of a donor who lost a mailbox.
const MovePath = "/addresses/move"

// Routes returns the area's routes.
func (a *Area) Routes() []web.Route {
	emailLink := web.Link("donor's choice of emails", a.emailChoice)
	return []web.Route{
		web.Get("/letters/{token}", web.Page, emailLink, a.emailChoiceGet).Unlimited(oneRow),
		web.Post("/letters/{token}", web.Page, emailLink, a.emailStopPost).AllowFromAnySite(oneClick).Unlimited(neverRefused),
		web.Post("/letters/{token}/again", web.Page, emailLink, a.emailResumePost).Limited(emailsResumed),
		web.Get(MovePath, web.Page, web.Public, a.moveGet),
		web.Post(MovePath, web.Page, web.Public, a.movePost).Unlimited(movesOnce),
	}
}

// MoveLink returns the function that makes the links that prove a new address. The secret is the link's fragment (after
// the #), which browsers do not send.
func MoveLink(base *url.URL) func(token string, lang phrase.Language) string {
	return func(token string, lang phrase.Language) string {
		return web.Absolute(base, MovePath+"?lang="+url.QueryEscape(string(lang))+"#"+url.PathEscape(token))
	}
}
