package portal

import (
	"net/http"

	"konbit/internal/giving/planlink"
	"konbit/internal/giving/recurring"
	"konbit/internal/office/privacy"
	"konbit/internal/office/statement"
	"konbit/internal/web"
	"konbit/internal/web/portal/actlimit"
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
	signInPath  = actlimit.SignInPath
	codePath    = "/sign-in/code"
	linkPath    = signedlink.SignInPath
	openPath    = signedlink.OpenPath
	homePath    = "/portal"
	detailsPath = "/portal/details"
	recordsPath = "/portal/records"

	addressesPath = "/portal/addresses"
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
		web.Post(signInPath, web.Page, web.Public, a.signInPost).LimitedInside(actlimit.EmailsInside),
		web.Get(codePath, web.Page, web.Public, a.codeGet),
		web.Post(codePath, web.Page, web.Public, a.codePost).LimitedInside(actlimit.CodesInside),
		web.Get(linkPath, web.Page, web.Public, a.linkGet),
		web.Post(linkPath, web.Page, web.Public, a.linkPost).Unlimited(actlimit.LongSecret),
		web.Post("/sign-out", web.Page, signedIn, a.signOutPost).Unlimited(actlimit.EndsItself),

		web.Get(homePath, web.Page, signedIn, a.homeGet).Limited(actlimit.Lists),
		web.Get("/portal/gifts", web.Page, signedIn, a.giftsGet).Limited(actlimit.Lists),
		web.Get("/portal/gifts/{ref}/receipt", web.Page, receipt, a.receiptGet).Limited(actlimit.Documents),
		web.Get("/portal/gifts/{ref}/receipt.pdf", web.Page, receipt, a.receiptPDFGet).Limited(actlimit.Documents),
		web.Get("/portal/plans", web.Page, signedIn, a.plansGet).Limited(actlimit.Lists),
		web.Get("/portal/plans/{ref}", web.Page, plan, a.ownPlanGet).Limited(actlimit.Lists),
		web.Post("/portal/plans/{ref}", web.Page, plan, a.ownPlanPost).Limited(actlimit.PlanChanges),
		web.Get("/portal/plans/{ref}/card", web.Page, plan, a.ownCardGet).Limited(actlimit.Lists),
		web.Post("/portal/plans/{ref}/card", web.Page, plan, a.ownCardPost).Limited(actlimit.CardPages),
		web.Get(recordsPath, web.Page, signedIn, a.recordsGet).Limited(actlimit.Lists),
		web.Get(recordsPath+"/data.json", web.Stream, signedIn, a.dataJSONGet).Limited(actlimit.DataCopies),
		web.Get(recordsPath+"/data.csv", web.Stream, signedIn, a.dataCSVGet).Limited(actlimit.DataCopies),
		web.Get(recordsPath+"/gifts.csv", web.Stream, signedIn, a.giftsCSVGet).Limited(actlimit.DataCopies),
		web.Post(recordsPath+"/erasure", web.Page, signedIn, a.erasurePost).Limited(actlimit.Erasures),
		web.Get("/portal/statements/{ref}", web.Page, statement, a.statementGet).Limited(actlimit.Documents),
		web.Get("/portal/statements/{ref}/pdf", web.Page, statement, a.statementPDFGet).Limited(actlimit.Documents),
		web.Get(detailsPath, web.Page, signedIn, a.detailsGet).Limited(actlimit.Lists),
		web.Post(detailsPath, web.Page, signedIn, a.detailsPost).Limited(actlimit.Details),
		web.Post(addressesPath, web.Page, signedIn, a.addressPost).Limited(actlimit.Addresses),
		web.Post("/portal/addresses/prove", web.Page, signedIn, a.linkAddressPost).LimitedInside(actlimit.CodesInside),
		web.Post("/portal/addresses/part", web.Page, signedIn, a.unlinkAddressPost).Limited(actlimit.Unlinked),
		web.Post("/portal/addresses/choose", web.Page, signedIn, a.chooseAddressPost).Limited(actlimit.Chosen),
		web.Post("/portal/sessions/end", web.Page, signedIn, a.signOutEverywherePost).Unlimited(actlimit.EndsItself),
		web.Post("/portal/sessions/end-one", web.Page, signedIn, a.endOneSessionPost).Unlimited(actlimit.EndsItself),

		web.Get(openPath, web.Page, web.Public, a.openGet),
		web.Post(openPath, web.Page, web.Public, a.openPost).LimitedInside(actlimit.PlanCodesInside),
		web.Post("/plans/fresh", web.Page, web.Public, a.freshPost).LimitedInside(actlimit.FreshInside),
		web.Get("/plans/{ref}", web.Page, opened, a.planGet).Limited(actlimit.PlanPages),
		web.Post("/plans/{ref}", web.Page, opened, a.planPost).Limited(actlimit.PlanLinkChanges),
		web.Get("/plans/{ref}/card", web.Page, opened, a.linkedCardGet).Limited(actlimit.PlanPages),
		web.Post("/plans/{ref}/email", web.Page, opened, a.proofEmailPost).LimitedInside(actlimit.EmailsInside),
		web.Get("/plans/{ref}/code", web.Page, opened, a.proofCodeGet).Limited(actlimit.PlanPages),
		web.Post("/plans/{ref}/code", web.Page, opened, a.proofCodePost).LimitedInside(actlimit.CodesInside),
		web.Get("/plans/{ref}/{key}", web.Page, oldPlan, a.oldLinkGet).Unlimited(actlimit.OneRow),
		web.Post("/plans/{ref}/{key}", web.Page, oldPlan, a.oldLinkPost).LimitedInside(actlimit.FreshInside),
		web.Get("/plans/card/{token}", web.Page, oldCard, a.oldLinkGet).Unlimited(actlimit.OneRow),
		web.Post("/plans/card/{token}", web.Page, oldCard, a.oldLinkPost).LimitedInside(actlimit.FreshInside),
	}
}
