package portal

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/billing"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/planterms"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/portal/giftpage"
)

// planView is what the page of a recurring gift needs.
type planView struct {
	plan    plan.Plan
	offer   donation.Offer
	catalog *fund.Catalog
	parts   []donation.Designation
	waits   bool // a change of the plan is not done yet
	lang    phrase.Language
	path    string    // address of the page
	via     string    // the way to the page: planlink.ByLink or planlink.BySession; each request records it
	token   string    // for the page's forms: of the session, or of the opened link
	link    uuid.UUID // that was opened; uuid.Nil in a session
}

// LimitSubject returns what the limits of an opened link to a plan count: the plan.
func (p planView) LimitSubject() string { return "plan " + p.plan.ID.String() }

// ownPlan returns the visitor's plan that the path names.
func (a *Area) ownPlan(r *http.Request, v web.DonorVisit) (planView, error) {
	ref := chi.URLParam(r, "ref")
	p, err := a.openPlan(r, ref, string(v.Language))
	if err == nil && !slices.Contains(donor.IDs(v.Donors), p.plan.DonorID) {
		err = web.NotFound()
	}
	p.path, p.via, p.token = giftpage.OwnPlanPath(ref, p.lang), planlink.BySession, a.Access.Sessions().FormToken(v.Session)
	return p, err
}

// openPlan reads a plan; fault.NotFound if there is none or it has not begun. The page's language is the one in the
// address, else preferred, else the plan's. The caller has checked that the person may see the plan, or checks it next.
func (a *Area) openPlan(r *http.Request, ref, preferred string) (planView, error) {
	plan, err := recurring.ByRef(r.Context(), a.DB, ref)
	if err != nil {
		return planView{}, err
	}
	if plan.BegunAt == nil {
		return planView{}, web.NotFound()
	}
	catalog, err := a.Catalog.Current(r.Context())
	if err != nil {
		return planView{}, err
	}
	p := planView{plan: plan, catalog: catalog}
	if p.offer.Organisation, err = catalog.OrganisationByID(plan.OrganisationID); err != nil {
		return p, err
	}
	if p.offer.Entity, err = catalog.EntityByID(plan.EntityID); err != nil {
		return p, err
	}
	p.offer.Funds = catalog.Open(plan.OrganisationID)
	if p.parts, err = planterms.PartsOf(r.Context(), a.DB, plan, plan.Terms); err != nil {
		return p, err
	}
	if p.waits, err = recurring.IsChangeWaiting(r.Context(), a.DB, plan.ID); err != nil {
		return p, err
	}
	if p.offer, err = plan.WithOwnTerms(p.offer, p.parts, catalog); err != nil {
		return p, err
	}
	requested := cmp.Or(r.URL.Query().Get("lang"), preferred, plan.Language)
	p.lang = phrase.Match(a.LanguagesOf(p.offer.Organisation), requested, "")
	return p, nil
}

// planGet shows the plan of an email's link.
func (a *Area) planGet(w http.ResponseWriter, r *http.Request, p planView) error {
	return a.showPlan(w, r, p)
}

// ownPlanGet shows the visitor's plan.
func (a *Area) ownPlanGet(w http.ResponseWriter, r *http.Request, p web.Owned[planView]) error {
	return a.showPlan(w, r, p.Object)
}

// showPlan shows a plan and what its donor can change. With ?do= it explains the result of a change before it is made.
// It changes nothing, because programs open links before people do.
func (a *Area) showPlan(w http.ResponseWriter, r *http.Request, p planView) error {
	query := r.URL.Query()
	page, err := a.planPage(r, p)
	if err != nil {
		return err
	}
	page.Done = giftpage.Confirmation(query.Get("said"), page)
	if do := query.Get("do"); do != "" {
		change, err := a.planChange(p, do, query)
		var bad *fault.Error
		switch {
		case errors.As(err, &bad) && isPlanProblem(bad):
			return a.showPlanProblems(w, page, query, bad)
		case err != nil:
			return err
		}
		page.Confirm, page.Done = change.confirm(a.NewID().String()), ""
	}
	return a.writePlan(w, http.StatusOK, page)
}

// isPlanProblem reports whether the plan's page shows a failure.
func isPlanProblem(bad *fault.Error) bool {
	return bad.Kind == fault.Invalid || bad.Kind == fault.Conflict || bad.Kind == fault.Forbidden
}

// showPlanProblems shows the page with what is wrong with a change.
func (a *Area) showPlanProblems(w http.ResponseWriter, page giftpage.PlanPage, typed url.Values, bad *fault.Error) error {
	page.Problems = bad.Fields
	if len(bad.Fields) == 0 && bad.Kind != fault.Forbidden {
		page.Problem = bad.Phrase
	}
	status := http.StatusUnprocessableEntity
	switch bad.Kind {
	case fault.Conflict:
		status = http.StatusConflict
	case fault.Forbidden:
		page.NeedsSession, status = bad.Phrase, http.StatusForbidden
		page.Proof = giftpage.PlanProof{Action: subPath(page.Action, "/email"), Values: changeValues(typed)}
	}
	if typed.Get("do") == "change" {
		page.Entry = giftpage.TypedEntry(typed)
	}
	return a.writePlan(w, status, page)
}

func (a *Area) writePlan(w http.ResponseWriter, status int, page giftpage.PlanPage) error {
	return web.WritePage(w, status, func(b io.Writer) error { return page.Write(b, a.View) })
}

// planPage returns the page of a plan with nothing typed.
func (a *Area) planPage(r *http.Request, p planView) (giftpage.PlanPage, error) {
	o, loc := p.offer.Organisation, p.offer.Entity.Location()
	page := giftpage.PlanPage{
		Frame:        view.Frame{Language: p.lang, Switch: view.Switch(r.URL, p.lang, a.LanguagesOf(o)), Accent: o.Accent},
		Organisation: web.OrganisationIn(p.lang, p.offer.Entity, o), Action: p.path, SubmissionID: a.NewID().String(),
		Token: p.token, Own: p.via == planlink.BySession,
		Status: string(p.plan.Status), Ended: string(deref(p.plan.EndedBecause)), Held: p.plan.DisputedSince != nil,
		Amount: p.plan.Amount(), Covered: p.plan.Covered(), Every: string(p.plan.Frequency), Paid: p.plan.Paid,
		DeclineReason: billing.DeclineReason(deref(p.plan.FailingCode)), Brand: deref(p.plan.CardBrand), Last4: deref(p.plan.CardLast4),
		Pauses: p.plan.PauseLengths(a.Now()), CoverOffered: p.offer.Entity.ProcessingFee.BasisPoints+p.offer.Entity.ProcessingFee.Fixed > 0,
		Entry: giftpage.PlanEntry{Amount: majorUnits(p.plan.Given()), Frequency: string(p.plan.Frequency), CoverFees: p.plan.CoveredMinor > 0},
	}
	if p.plan.FailingSince != nil && page.DeclineReason == "" {
		page.DeclineReason = "refused"
	}
	if p.plan.DiscountedTo != nil && p.plan.Status.IsRunning() {
		page.Discounted = p.plan.NextCharge().Format(string(p.lang))
	}
	if p.plan.Total != nil {
		page.Of = *p.plan.Total
	}
	page.Next, page.Last, page.Ends = giftpage.DateIn(p.plan.NextAt, loc), giftpage.DateIn(p.plan.LastAt(), loc), giftpage.DateIn(p.plan.EndsAt, loc)
	if p.plan.Status.IsRunning() {
		page.CardURL = subPath(p.path, "/card")
	}
	for _, part := range p.parts {
		f, err := p.catalog.Fund(part.FundID)
		if err != nil {
			return page, err
		}
		page.Parts = append(page.Parts, view.Purpose{Fund: f.Name.In(p.lang), Purpose: f.Purpose.In(p.lang), Amount: part.Amount})
		if len(p.parts) == 1 {
			page.Entry.Fund = f.Slug
		}
	}
	for _, f := range p.offer.Funds {
		page.Funds = append(page.Funds, giftpage.FundChoice{Slug: f.Slug, Name: f.Name.In(p.lang)})
	}
	for _, f := range org.Frequencies() {
		if f != org.Once && o.Offers(f) {
			page.Frequencies = append(page.Frequencies, string(f))
		}
	}
	return page, nil
}
