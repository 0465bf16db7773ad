package give

import (
	"net/url"
	"time"

	"konbit/internal/books/org"
	"konbit/internal/giving/checkout"
	"konbit/internal/mail"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/phrase"
	"konbit/internal/web"
)

// Area serves the pages on which gifts are made.
type Area struct {
	*web.Kernel
	Starter checkout.Starter
	Guard   *guard.Guard
	// TakesCards reports whether cards can be charged for an entity: it has a key. nil: for every one.
	TakesCards func(e org.LegalEntity) bool

	forms formCache
}

// eventModes limits tries to open event mode. A whole event may share one address.
var eventModes = web.Limit{Name: "event mode", Words: "limit.event_mode", Limit: guard.Limit{Max: 60, Window: 10 * time.Minute}}

// Routes returns the area's routes.
func (a *Area) Routes() []web.Route {
	return []web.Route{
		web.Get("/", web.Page, web.Public, a.homeGet).Indexed(),
		web.Get("/give/{org}", web.Page, web.Public, a.formGet).Indexed(),
		web.Post("/give/{org}", web.OwnDeadline, web.Public, a.formPost).LimitedInside("platform/guard: Judge, by GIVE_LIMITS"),
		web.Get("/give/{org}/thanks", web.Page, web.Public, a.thanksGet),
		web.Get("/give/{org}/event", web.Page, web.Public, a.eventGet),
		web.Post("/give/{org}/event", web.Page, web.Public, a.eventPost).Limited(eventModes),
	}
}

// Links returns the function that makes the addresses to which a payment page returns: the page after payment, and the
// form with what was typed.
func Links(base *url.URL) func(org, ref string, lang phrase.Language) (success, back string) {
	return func(org, ref string, lang phrase.Language) (string, string) {
		return web.Absolute(base, thanksPath(org, ref, lang)), web.Absolute(base, restorePath(org, ref, lang))
	}
}

// AgainLink returns the function that makes links to the form of an organisation, preset with a gift that failed.
func AgainLink(base *url.URL) func(mail.GiveAgain, phrase.Language) string {
	return func(g mail.GiveAgain, lang phrase.Language) string {
		preset := url.Values{"amount": {majorUnits(g.Amount)}, "frequency": {g.Frequency}}
		if g.Fund != "" {
			preset.Set("fund", g.Fund)
		}
		return web.Absolute(base, formPath(g.Organisation, lang)+"&"+preset.Encode())
	}
}

func formPath(org string, lang phrase.Language) string {
	return "/give/" + url.PathEscape(org) + "?lang=" + url.QueryEscape(string(lang))
}

func thanksPath(org, ref string, lang phrase.Language) string {
	return "/give/" + url.PathEscape(org) + "/thanks?lang=" + url.QueryEscape(string(lang)) + "&gift=" + url.QueryEscape(ref)
}

func restorePath(org, ref string, lang phrase.Language) string {
	return formPath(org, lang) + "&again=" + url.QueryEscape(ref)
}

// EventPath returns the address of a link that opens event mode. The pass is its fragment (after the #), which browsers
// do not send: no proxy's log and no Referer contains it.
func EventPath(org, pass string) string { return eventPath(org) + "#" + url.PathEscape(pass) }

func eventPath(org string) string { return "/give/" + url.PathEscape(org) + "/event" }
