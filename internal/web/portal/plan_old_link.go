package portal

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/recurring"
	"konbit/internal/web"
	"konbit/internal/web/portal/accesspage"
	"konbit/internal/web/portal/signedlink"
)

// Links sent before plan_link had their secret in the path and no end. They do one thing: they ask for an email with a
// valid link, which goes to the donor.

// planOfOldLink returns the plan of a link to a plan.
func (a *Area) planOfOldLink(r *http.Request) (planlink.Link, error) {
	ref := chi.URLParam(r, "ref")
	if !signedlink.IsOldPlanKey(a.Keys, ref, chi.URLParam(r, "key")) {
		return planlink.Link{}, web.NotFound()
	}
	p, err := recurring.ByRef(r.Context(), a.DB, ref)
	return planlink.Link{PlanID: p.ID, DonorID: p.DonorID}, err
}

// planOfOldCardLink returns a running plan of the donor of a link to a new payment method; one that is failing, if any.
func (a *Area) planOfOldCardLink(r *http.Request) (planlink.Link, error) {
	of, valid := signedlink.ReadOldPaymentMethodToken(a.Keys, chi.URLParam(r, "token"))
	if !valid {
		return planlink.Link{}, web.NotFound()
	}
	plans, err := recurring.OfDonor(r.Context(), a.DB, of)
	if err != nil {
		return planlink.Link{}, err
	}
	chosen, _ := plan.ForNewCard(plans)
	if chosen == nil {
		return planlink.Link{}, web.NotFound()
	}
	return planlink.Link{PlanID: chosen.ID, DonorID: of}, nil
}

// oldLinkGet offers to send a valid link. It changes nothing, because programs open links before people do.
func (a *Area) oldLinkGet(w http.ResponseWriter, r *http.Request, _ planlink.Link) error {
	return a.showPlanLink(w, r, http.StatusOK, accesspage.PlanLink{State: accesspage.LinkEnded, Action: r.URL.EscapedPath()})
}

// oldLinkPost sends a valid link to the plan's donor.
func (a *Area) oldLinkPost(w http.ResponseWriter, r *http.Request, of planlink.Link) error {
	return a.sendFresh(w, r, of)
}
