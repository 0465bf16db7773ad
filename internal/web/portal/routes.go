package portal

import (
	"net/http"

	"konbit/internal/giving/planlink"
	"konbit/internal/giving/recurring"
	"konbit/internal/office/privacy"
	"konbit/internal/office/statement"
	"konbit/internal/platform/guard"
	"konbit/internal/web"
	"konbit/internal/web/portal/signedlink"
)

// Area serves donors' own pages.
type Area struct {
	*web.Kernel
	Plans      recurring.Plans
	Links      planlink.Links
	Guard      *guard.Guard
	Statements statement.Issuer
	Privacy    privacy.Eraser
}

// Addresses that several handlers use.
const (
	signInPath  = "/sign-in"
	codePath    = "/sign-in/code"
	linkPath    = signedlink.SignInPath
	openPath    = signedlink.OpenPath
	homePath    = "/portal"
	detailsPath = "/portal/details"
	recordsPath = "/portal/records"
)

// oneClick is why mail programs may post the choice of emails.
const oneClick = "a mail program, whose page may be of another site, posts it with one click (RFC 8058); no cookie is read, the link is the permission"

// Routes returns the area's routes.
func (a *Area) Routes() []web.Route {
	signedIn := a.DonorSession(func(w http.ResponseWriter, r *http.Request) error {
		return a.showSignIn(w, r, http.StatusUnauthorized, "", nil)
	})
	receipt := web.Owner(a.Kernel, "gift", a.ownReceipt)
	statement := web.Owner(a.Kernel, "statement", a.ownStatement)
	plan := web.Owner(a.Kernel, "plan", a.ownPlan)
	opened := a.openedLink()
	oldPlan := web.Link("plan, of an old email", a.planOfOldLink)
	oldCard := web.Link("payment method, of an old email", a.planOfOldCardLink)
	emailLink := web.Link("donor's choice of emails", a.emailChoice)
	return []web.Route{
		web.Get(signInPath, web.Page, web.Public, a.signInGet),
		web.Post(signInPath, web.Page, web.Public, a.signInPost),
		web.Get(codePath, web.Page, web.Public, a.codeGet),
		web.Post(codePath, web.Page, web.Public, a.codePost),
		web.Get(linkPath, web.Page, web.Public, a.linkGet),
		web.Post(linkPath, web.Page, web.Public, a.linkPost),
		web.Post("/sign-out", web.Page, signedIn, a.signOutPost),

		web.Get(homePath, web.Page, signedIn, a.homeGet),
		web.Get("/portal/gifts", web.Page, signedIn, a.giftsGet),
		web.Get("/portal/gifts/{ref}/receipt", web.Page, receipt, a.receiptGet),
		web.Get("/portal/gifts/{ref}/receipt.pdf", web.Page, receipt, a.receiptPDFGet),
		web.Get("/portal/plans", web.Page, signedIn, a.plansGet),
		web.Get("/portal/plans/{ref}", web.Page, plan, a.ownPlanGet),
		web.Post("/portal/plans/{ref}", web.Page, plan, a.ownPlanPost),
		web.Get("/portal/plans/{ref}/card", web.Page, plan, a.ownCardGet),
		web.Post("/portal/plans/{ref}/card", web.Page, plan, a.ownCardPost),
		web.Get(recordsPath, web.Page, signedIn, a.recordsGet),
		web.Get(recordsPath+"/data.json", web.Stream, signedIn, a.dataJSONGet),
		web.Get(recordsPath+"/data.csv", web.Stream, signedIn, a.dataCSVGet),
		web.Post(recordsPath+"/erasure", web.Page, signedIn, a.erasurePost),
		web.Get("/portal/statements/{ref}", web.Page, statement, a.statementGet),
		web.Get("/portal/statements/{ref}/pdf", web.Page, statement, a.statementPDFGet),
		web.Get(detailsPath, web.Page, signedIn, a.detailsGet),
		web.Post(detailsPath, web.Page, signedIn, a.detailsPost),
		web.Post("/portal/addresses", web.Page, signedIn, a.addressPost),
		web.Post("/portal/addresses/prove", web.Page, signedIn, a.linkAddressPost),
		web.Post("/portal/addresses/part", web.Page, signedIn, a.unlinkAddressPost),
		web.Post("/portal/sessions/end", web.Page, signedIn, a.signOutEverywherePost),

		web.Get(openPath, web.Page, web.Public, a.openGet),
		web.Post(openPath, web.Page, web.Public, a.openPost),
		web.Post("/plans/fresh", web.Page, web.Public, a.freshPost),
		web.Get("/plans/{ref}", web.Page, opened, a.planGet),
		web.Post("/plans/{ref}", web.Page, opened, a.planPost),
		web.Get("/plans/{ref}/card", web.Page, opened, a.linkedCardGet),
		web.Post("/plans/{ref}/email", web.Page, opened, a.proofEmailPost),
		web.Get("/plans/{ref}/code", web.Page, opened, a.proofCodeGet),
		web.Post("/plans/{ref}/code", web.Page, opened, a.proofCodePost),
		web.Get("/plans/{ref}/{key}", web.Page, oldPlan, a.oldLinkGet),
		web.Post("/plans/{ref}/{key}", web.Page, oldPlan, a.oldLinkPost),
		web.Get("/plans/card/{token}", web.Page, oldCard, a.oldLinkGet),
		web.Post("/plans/card/{token}", web.Page, oldCard, a.oldLinkPost),
		web.Get("/letters/{token}", web.Page, emailLink, a.emailChoiceGet),
		web.Post("/letters/{token}", web.Page, emailLink, a.emailStopPost).AllowFromAnySite(oneClick),
		web.Post("/letters/{token}/again", web.Page, emailLink, a.emailResumePost),
	}
}
