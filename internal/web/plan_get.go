package web

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// planRequest is what a plan's page needs to answer.
type planView struct {
	plan    recurring.Plan
	offer   donation.Offer
	catalog *fund.Catalog
	parts   []donation.Designation
	lang    phrase.Language
	path    string
	via     string // how they came: letter or portal
	token   string // of the session, for the page's forms; empty: by letter
}

// planGet shows a plan by the link of any of its letters.
func (s *Server) planGet(w http.ResponseWriter, r *http.Request) error {
	p, err := s.planOf(r)
	if err != nil {
		return err
	}
	return s.showPlan(w, r, p)
}

// planShow shows a plan and what its donor can do to it. With ?do= it says in words what a change comes to, before it is
// done. It changes nothing, whoever follows the link.
func (s *Server) showPlan(w http.ResponseWriter, r *http.Request, p planView) error {
	query := r.URL.Query()
	page, err := s.planPage(r, p)
	if err != nil {
		return err
	}
	page.Done = knownConfirmation(query.Get("said"))
	if do := query.Get("do"); do != "" {
		wish, err := s.planChange(p, do, query)
		var bad *fault.Error
		switch {
		case errors.As(err, &bad) && (bad.Kind == fault.Invalid || bad.Kind == fault.Conflict):
			return s.showPlanProblems(w, page, query, bad)
		case err != nil:
			return err
		}
		page.Confirm, page.Done = wish.confirm(s.NewID().String()), ""
	}
	return s.writePlan(w, http.StatusOK, page)
}

// planAgain shows the page with what was wrong.
func (s *Server) showPlanProblems(w http.ResponseWriter, page view.PlanPage, typed url.Values, bad *fault.Error) error {
	page.Problems = bad.Fields
	status := http.StatusUnprocessableEntity
	if bad.Kind == fault.Conflict {
		page.Conflict, status = true, http.StatusConflict
	}
	if typed.Get("do") == "change" {
		page.Entry = view.PlanEntry{
			Amount: typed.Get("amount"), Frequency: typed.Get("frequency"), Fund: typed.Get("fund"), Date: typed.Get("date"), CoverFees: isChecked(typed.Get("cover_fees")),
		}
	}
	return s.writePlan(w, status, page)
}

func (s *Server) writePlan(w http.ResponseWriter, status int, page view.PlanPage) error {
	var body bytes.Buffer
	if err := s.View.Plan(&body, page); err != nil {
		return err
	}
	html(w, status, body.Bytes())
	return nil
}

// planOf finds the plan that the address opens; fault.NotFound for any other address, so that trying teaches nothing.
func (s *Server) planOf(r *http.Request) (planView, error) {
	ref, key := chi.URLParam(r, "ref"), chi.URLParam(r, "key")
	if !hmac.Equal([]byte(key), []byte(planKey(s.Secret, ref))) {
		return planView{}, errNotFound()
	}
	p, err := s.openPlan(r, ref, "")
	p.path, p.via = planPath(ref, key, p.lang), "letter"
	return p, err
}

// openPlan reads a plan for whoever has shown that they may; fault.NotFound: there is none, or it has not begun. wish is the
// language they wish for; empty: that of the plan.
func (s *Server) openPlan(r *http.Request, ref, wish string) (planView, error) {
	plan, err := recurring.ByRef(r.Context(), s.DB, ref)
	if err != nil {
		return planView{}, err
	}
	if plan.BegunAt == nil {
		return planView{}, errNotFound()
	}
	catalog, err := s.Catalog.Current(r.Context())
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
	if p.parts, err = recurring.PartsOf(r.Context(), s.DB, plan, plan.Terms); err != nil {
		return p, err
	}
	p.lang = phrase.Match(s.languagesOf(p.offer.Organisation), cmp.Or(r.URL.Query().Get("lang"), wish, plan.Language), "")
	return p, nil
}

// planPage is the page of a plan with nothing typed.
func (s *Server) planPage(r *http.Request, p planView) (view.PlanPage, error) {
	o, loc := p.offer.Organisation, p.offer.Entity.Location()
	page := view.PlanPage{
		Frame:        view.Frame{Language: p.lang, Switch: view.Switch(r.URL, p.lang, s.languagesOf(o)), Accent: o.Accent},
		Organisation: organisationView(p.offer, p.lang), Action: p.path, SubmissionID: s.NewID().String(), Token: p.token,
		Status: string(p.plan.Status), Amount: p.plan.Amount(), Covered: p.plan.Covered(), Every: string(p.plan.Frequency), Paid: p.plan.Paid,
		DeclineReason: recurring.DeclineReason(deref(p.plan.FailingCode)), Brand: deref(p.plan.CardBrand), Last4: deref(p.plan.CardLast4),
		Months: recurring.MaxPauseMonths, CoverOffered: p.offer.Entity.ProcessingFee.BasisPoints+p.offer.Entity.ProcessingFee.Fixed > 0,
		Entry: view.PlanEntry{Amount: majorUnits(p.plan.Given()), Frequency: string(p.plan.Frequency), CoverFees: p.plan.CoveredMinor > 0},
	}
	if p.plan.FailingSince != nil && page.DeclineReason == "" {
		page.DeclineReason = "refused"
	}
	if p.plan.Total != nil {
		page.Of = *p.plan.Total
	}
	if p.plan.NextAt != nil {
		page.Next = p.plan.NextAt.In(loc)
	}
	if last := p.plan.LastAt(); last != nil {
		page.Last = last.In(loc)
	}
	if p.plan.Status.IsRunning() {
		page.CardURL = paymentMethodPath(paymentMethodToken(s.Secret, p.plan.DonorID, s.Wall().Add(time.Hour)), p.lang)
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
		page.Funds = append(page.Funds, view.Fund{Slug: f.Slug, Name: f.Name.In(p.lang)})
	}
	for _, f := range org.Frequencies() {
		if f != org.Once && o.Offers(f) {
			page.Frequencies = append(page.Frequencies, string(f))
		}
	}
	return page, nil
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// terms reads a change: the amount, how often, and for what. No fund: shared out as now.
func (p planView) terms(typed url.Values) (donation.Request, *time.Time, error) {
	f := donation.Form{
		Language: p.lang, Amount: "other", AmountOther: typed.Get("amount"), Frequency: typed.Get("frequency"), Fund: typed.Get("fund"),
		CoverFees: isChecked(typed.Get("cover_fees")),
	}
	if amount, err := money.Parse(f.AmountOther, p.offer.Entity.Currency); f.Fund == "" && err == nil && len(p.parts) > 0 {
		f.Split = p.sharesAsNow(amount)
	}
	to, err := f.CheckTerms(p.offer)
	if err != nil {
		return to, nil, err
	}
	day := strings.TrimSpace(typed.Get("date"))
	if day == "" {
		return to, nil, nil
	}
	at, err := time.ParseInLocation(time.DateOnly, day, p.offer.Entity.Location())
	if err != nil {
		return to, nil, fault.Fields([]fault.Field{{Name: "date", Phrase: "plan.error.date"}})
	}
	at = at.Add(12 * time.Hour) // noon there, so that the day is the same whatever clocks do
	return to, &at, nil
}

// shared shares an amount out as the plan's is now.
func (p planView) sharesAsNow(amount money.Amount) map[string]string {
	weights := make([]int64, len(p.parts))
	for i, part := range p.parts {
		weights[i] = part.Amount.Minor
	}
	shares, err := amount.Split(weights)
	if err != nil {
		return nil
	}
	split := map[string]string{}
	for i, part := range p.parts {
		if f, err := p.catalog.Fund(part.FundID); err == nil {
			split[f.Slug] = shares[i].Decimal()
		}
	}
	return split
}

// said keeps only what we say: an address cannot make the page say something else.
func knownConfirmation(kind string) string {
	switch kind {
	case "pause", "skip", "resume", "cancel", "change", "soon":
		return kind
	}
	return ""
}

func months(typed url.Values) int {
	n, err := strconv.Atoi(typed.Get("months"))
	if err != nil {
		return 0
	}
	return n
}
