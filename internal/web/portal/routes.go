package portal

import (
	"net/http"

	"konbit/internal/giving/planlink"
	"konbit/internal/giving/recurring"
	"konbit/internal/office/privacy"
	"konbit/internal/office/statement"
	"konbit/internal/web"
	"konbit/internal/web/portal/signedlink"
)

// Area serves donors' own pages.
type Area struct {
	*web.Kernel
	Plans      recurring.Plans
	Links      planlink.Links
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
	return []web.Route{
		web.Get(signInPath, web.Page, web.Public, a.signInGet),
		web.Post(signInPath, web.Page, web.Public, a.signInPost).LimitedInside(emailsInside),
		web.Get(codePath, web.Page, web.Public, a.codeGet),
		web.Post(codePath, web.Page, web.Public, a.codePost).LimitedInside(codesInside),
		web.Get(linkPath, web.Page, web.Public, a.linkGet),
		web.Post(linkPath, web.Page, web.Public, a.linkPost).Unlimited(longSecret),
		web.Post("/sign-out", web.Page, signedIn, a.signOutPost).Unlimited(endsItself),

		web.Get(homePath, web.Page, signedIn, a.homeGet).Limited(lists),
		web.Get("/portal/gifts", web.Page, signedIn, a.giftsGet).Limited(lists),
		web.Get("/portal/gifts/{ref}/receipt", web.Page, receipt, a.receiptGet).Limited(documents),
		web.Get("/portal/gifts/{ref}/receipt.pdf", web.Page, receipt, a.receiptPDFGet).Limited(documents),
		web.Get("/portal/plans", web.Page, signedIn, a.plansGet),
		web.Get("/portal/plans/{ref}", web.Page, plan, a.ownPlanGet),
		web.Post("/portal/plans/{ref}", web.Page, plan, a.ownPlanPost).Limited(planChanges),
		web.Get("/portal/plans/{ref}/card", web.Page, plan, a.ownCardGet),
		web.Post("/portal/plans/{ref}/card", web.Page, plan, a.ownCardPost).Limited(cardPages),
		web.Get(recordsPath, web.Page, signedIn, a.recordsGet).Limited(lists),
		web.Get(recordsPath+"/data.json", web.Stream, signedIn, a.dataJSONGet).Limited(dataCopies),
		web.Get(recordsPath+"/data.csv", web.Stream, signedIn, a.dataCSVGet).Limited(dataCopies),
		web.Get(recordsPath+"/gifts.csv", web.Stream, signedIn, a.giftsCSVGet).Limited(dataCopies),
		web.Post(recordsPath+"/erasure", web.Page, signedIn, a.erasurePost).Limited(erasures),
		web.Get("/portal/statements/{ref}", web.Page, statement, a.statementGet).Limited(documents),
		web.Get("/portal/statements/{ref}/pdf", web.Page, statement, a.statementPDFGet).Limited(documents),
		web.Get(detailsPath, web.Page, signedIn, a.detailsGet),
		web.Post(detailsPath, web.Page, signedIn, a.detailsPost).Limited(details),
		web.Post("/portal/addresses", web.Page, signedIn, a.addressPost).Limited(addresses),
		web.Post("/portal/addresses/prove", web.Page, signedIn, a.linkAddressPost).LimitedInside(codesInside),
		web.Post("/portal/addresses/part", web.Page, signedIn, a.unlinkAddressPost).Limited(unlinked),
		web.Post("/portal/addresses/choose", web.Page, signedIn, a.chooseAddressPost).Limited(chosen),
		web.Post("/portal/sessions/end", web.Page, signedIn, a.signOutEverywherePost).Unlimited(endsItself),
		web.Post("/portal/sessions/end-one", web.Page, signedIn, a.endOneSessionPost).Unlimited(endsItself),

		web.Get(openPath, web.Page, web.Public, a.openGet),
		web.Post(openPath, web.Page, web.Public, a.openPost).LimitedInside(planCodesInside),
		web.Post("/plans/fresh", web.Page, web.Public, a.freshPost).LimitedInside(freshInside),
		web.Get("/plans/{ref}", web.Page, opened, a.planGet),
		web.Post("/plans/{ref}", web.Page, opened, a.planPost).Limited(planLinkChanges),
		web.Get("/plans/{ref}/card", web.Page, opened, a.linkedCardGet),
		web.Post("/plans/{ref}/email", web.Page, opened, a.proofEmailPost).LimitedInside(emailsInside),
		web.Get("/plans/{ref}/code", web.Page, opened, a.proofCodeGet),
		web.Post("/plans/{ref}/code", web.Page, opened, a.proofCodePost).LimitedInside(codesInside),
		web.Get("/plans/{ref}/{key}", web.Page, oldPlan, a.oldLinkGet),
		web.Post("/plans/{ref}/{key}", web.Page, oldPlan, a.oldLinkPost).LimitedInside(freshInside),
		web.Get("/plans/card/{token}", web.Page, oldCard, a.oldLinkGet),
		web.Post("/plans/card/{token}", web.Page, oldCard, a.oldLinkPost).LimitedInside(freshInside),
	}
}
