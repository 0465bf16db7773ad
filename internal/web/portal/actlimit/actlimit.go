// Package actlimit says how often donors may use their pages, by session or by the link of an email. It decides nothing:
// package web counts, and package portal names the limit of each route.
package actlimit

import (
	"net/http"
	"time"

	"konbit/internal/platform/guard"
	"konbit/internal/web"
)

// SignInPath is the page where a person who has a link can sign in and continue.
const SignInPath = "/sign-in"

// The limits of the area's routes. What they count is in web.Limit: a signed-in person, or the object that a link
// opens. cmd/konbit/running/limits.md lists them with what happens beyond them.
var (
	// PlanChanges limits what a session may do with all plans of a person, PlanLinkChanges what a link may do with its
	// plan. Each change is a call to Stripe and an email. Cancels count apart, so that no other change prevents one.
	PlanChanges     = web.Limit{Name: "plan changes", Words: "limit.plan_changes", Limit: guard.Limit{Max: 20, Window: time.Hour}, Part: cancelOrOther}
	PlanLinkChanges = web.Limit{
		Name: "plan changes by link", Words: "limit.plan_link", SignIn: SignInPath, Limit: guard.Limit{Max: 10, Window: time.Hour}, Part: cancelOrOther,
	}
	// CardPages limits pages of Stripe that ask for a new payment method.
	CardPages = web.Limit{Name: "card pages", Words: "limit.card_pages", Limit: guard.Limit{Max: 10, Window: time.Hour}}
	// Documents limits PDFs and statements, which take tens of milliseconds of a processor each.
	Documents = web.Limit{Name: "documents", Words: "limit.documents", Limit: guard.Limit{Max: 120, Window: 10 * time.Minute}}
	// Lists limits pages that read all gifts or plans of a person, or their details.
	Lists = web.Limit{Name: "lists of gifts", Words: "limit.lists", Limit: guard.Limit{Max: 240, Window: 10 * time.Minute}}
	// PlanPages limits the pages of one plan by its link, which read all its receipts and emails.
	PlanPages = web.Limit{Name: "pages by link", Words: "limit.link_pages", SignIn: SignInPath, Limit: guard.Limit{Max: 240, Window: 10 * time.Minute}}
	// DataCopies limits copies of all data, which read all tables.
	DataCopies = web.Limit{Name: "copies of data", Words: "limit.data_copies", Limit: guard.Limit{Max: 10, Window: time.Hour}}
	Details    = web.Limit{Name: "changes of details", Words: "limit.details", Limit: guard.Limit{Max: 30, Window: time.Hour}}
	// Addresses limits emails to an address that a person wants to link, besides the limits of package donoraccess.
	Addresses = web.Limit{Name: "codes for other addresses", Words: "limit.address_codes", Limit: guard.Limit{Max: 10, Window: time.Hour}}
	// Unlinked limits unlinked addresses. All addresses get an email.
	Unlinked = web.Limit{Name: "unlinked addresses", Words: "limit.addresses_parted", Limit: guard.Limit{Max: 10, Window: time.Hour}}
	// Chosen limits choices where emails go. All addresses get an email.
	Chosen = web.Limit{Name: "addresses chosen for emails", Words: "limit.addresses_chosen", Limit: guard.Limit{Max: 10, Window: time.Hour}}
	// Erasures limits requests for erasure with their withdrawals. Each request is an email.
	Erasures = web.Limit{Name: "requests for erasure", Words: "limit.erasures", Limit: guard.Limit{Max: 6, Window: time.Hour}}
)

// Why some routes need no limit, or where theirs is.
const (
	EmailsInside = "people/donoraccess: sign-in emails"
	CodesInside  = "people/donoraccess: codes"
	// Their numbers are in package planlink.
	PlanCodesInside = "portal: codes of links to plans"
	FreshInside     = "portal: new links to plans"

	OneRow     = "it reads one row by its key"
	LongSecret = "the secret has 256 bits, and is used up"
	EndsItself = "it ends a session, and cannot be repeated without another"
)

// cancelOrOther divides the changes of a plan.
func cancelOrOther(r *http.Request) string {
	if r.PostForm.Get("do") == "cancel" {
		return "cancel"
	}
	return "other"
}
