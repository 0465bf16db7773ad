package web

import (
	"bytes"
	"context"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// cardGet asks whether to go on to Stripe's page for a new card, by the link of a letter. It changes nothing. ?done=1 is where that
// page leads back to; that the card is there, Stripe's word says and not this address.
func (s *Server) paymentMethodGet(w http.ResponseWriter, r *http.Request) error {
	page, _, err := s.paymentMethodPage(r)
	if err != nil {
		return err
	}
	page.Done = r.URL.Query().Get("done") != ""
	var body bytes.Buffer
	if err := s.View.PlanCard(&body, page); err != nil {
		return err
	}
	html(w, http.StatusOK, body.Bytes())
	return nil
}

// cardPost makes Stripe's page and leads there.
func (s *Server) paymentMethodPost(w http.ResponseWriter, r *http.Request) error {
	page, donor, err := s.paymentMethodPage(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), pageDeadline)
	defer cancel()
	back := strings.TrimSuffix(s.BaseURL.String(), "/") + page.Action + "&done=1"
	address, _, err := s.Plans.UpdatePaymentMethod(ctx, donor, string(page.Language), back)
	if err != nil {
		return err
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

// cardPage finds whose card it is; fault.NotFound for a link that is none, or no longer good.
func (s *Server) paymentMethodPage(r *http.Request) (view.PlanCardPage, uuid.UUID, error) {
	token := chi.URLParam(r, "token")
	donor, good := readPaymentMethodToken(s.Secret, token, s.Wall())
	if !good {
		return view.PlanCardPage{}, donor, fault.New(fault.NotFound, "plan.card.gone", nil)
	}
	plans, err := recurring.OfDonor(r.Context(), s.DB, donor)
	if err != nil {
		return view.PlanCardPage{}, donor, err
	}
	if len(plans) == 0 {
		return view.PlanCardPage{}, donor, errNotFound()
	}
	catalog, err := s.Catalog.Current(r.Context())
	if err != nil {
		return view.PlanCardPage{}, donor, err
	}
	page, err := s.fillPlans(r, catalog, plans)
	page.Action = paymentMethodPath(token, page.Language)
	return page, donor, err
}

// cardOf is the page of a donor's plans that go on.
func (s *Server) fillPlans(r *http.Request, catalog *fund.Catalog, plans []recurring.Plan) (view.PlanCardPage, error) {
	var page view.PlanCardPage
	for i, p := range plans {
		o, err := catalog.OrganisationByID(p.OrganisationID)
		if err != nil {
			return page, err
		}
		if i == 0 {
			e, err := catalog.EntityByID(p.EntityID)
			if err != nil {
				return page, err
			}
			asked := r.URL.Query().Get("lang")
			if asked == "" {
				asked = p.Language
			}
			lang := phrase.Match(s.languagesOf(o), asked, "")
			page.Frame = view.Frame{Language: lang, Switch: view.Switch(r.URL, lang, s.languagesOf(o)), Accent: o.Accent}
			page.Organisation = organisationView(donation.Offer{Entity: e, Organisation: o}, lang)
		}
		if p.Status.IsRunning() {
			page.Plans = append(page.Plans, view.PlanLine{
				Organisation: o.Name.In(page.Language), Amount: p.Amount(), Every: string(p.Frequency), Brand: deref(p.CardBrand), Last4: deref(p.CardLast4),
				Failing: p.FailingSince != nil,
			})
		}
	}
	return page, nil
}
