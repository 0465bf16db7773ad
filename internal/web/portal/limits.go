package portal

import (
	"net/http"
	"time"

	"konbit/internal/platform/guard"
	"konbit/internal/web"
)

// The limits of the area's routes. What they count is in web.Limit: a signed-in person, or the object that a link
// opens. cmd/konbit/running/limits.md lists them with what happens beyond them.
var (
	// planChanges limits what a session may do with all plans of a person, planLinkChanges what a link may do with its
	// plan. Each change is a call to Stripe and an email. Cancels count apart, so that no other change prevents one.
	planChanges     = web.Limit{Name: "plan changes", Words: "limit.plan_changes", Limit: guard.Limit{Max: 20, Window: time.Hour}, Part: cancelOrOther}
	planLinkChanges = web.Limit{
		Name: "plan changes by link", Words: "limit.plan_link", SignIn: signInPath, Limit: guard.Limit{Max: 10, Window: time.Hour}, Part: cancelOrOther,
	}
	// cardPages limits pages of Stripe that ask for a new payment method.
	cardPages = web.Limit{Name: "card pages", Words: "limit.card_pages", Limit: guard.Limit{Max: 10, Window: time.Hour}}
	// documents limits PDFs and statements, which take tens of milliseconds of a processor each.
	documents = web.Limit{Name: "documents", Words: "limit.documents", Limit: guard.Limit{Max: 120, Window: 10 * time.Minute}}
	// lists limits pages that read all gifts of a person.
	lists = web.Limit{Name: "lists of gifts", Words: "limit.lists", Limit: guard.Limit{Max: 240, Window: 10 * time.Minute}}
	// dataCopies limits copies of all data, which read all tables.
	dataCopies = web.Limit{Name: "copies of data", Words: "limit.data_copies", Limit: guard.Limit{Max: 10, Window: time.Hour}}
	details    = web.Limit{Name: "changes of details", Words: "limit.details", Limit: guard.Limit{Max: 30, Window: time.Hour}}
	// addresses limits emails to an address that a person wants to link, besides the limits of package donoraccess.
	addresses = web.Limit{Name: "codes for other addresses", Words: "limit.address_codes", Limit: guard.Limit{Max: 10, Window: time.Hour}}
	// unlinked limits unlinked addresses. All addresses get an email.
	unlinked = web.Limit{Name: "unlinked addresses", Words: "limit.addresses_parted", Limit: guard.Limit{Max: 10, Window: time.Hour}}
	// chosen limits choices where emails go. All addresses get an email.
	chosen = web.Limit{Name: "addresses chosen for emails", Words: "limit.addresses_chosen", Limit: guard.Limit{Max: 10, Window: time.Hour}}
	// erasures limits requests for erasure with their withdrawals. Each request is an email.
	erasures = web.Limit{Name: "requests for erasure", Words: "limit.erasures", Limit: guard.Limit{Max: 6, Window: time.Hour}}
)

// Why some routes need no limit, or where theirs is.
const (
	emailsInside = "people/donoraccess: sign-in emails"
	codesInside  = "people/donoraccess: codes"
	// Their numbers are in package planlink.
	planCodesInside = "portal: codes of links to plans"
	freshInside     = "portal: new links to plans"

	longSecret = "the secret has 256 bits, and is used up"
	endsItself = "it ends a session, and cannot be repeated without another"
)

// cancelOrOther divides the changes of a plan.
func cancelOrOther(r *http.Request) string {
	if r.PostForm.Get("do") == "cancel" {
		return "cancel"
	}
	return "other"
}
