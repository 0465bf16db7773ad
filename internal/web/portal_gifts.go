package web

import (
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-chi/chi/v5"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/recurring"
	"konbit/internal/mail"
	"konbit/internal/view"
)

// giftsGet lists somebody's gifts, all or those of ?year= or ?org=.
func (s *Server) giftsGet(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	all, err := donation.History(r.Context(), s.DB, donor.IDs(v.donors))
	if err != nil {
		return err
	}
	page := view.PortalGiftsPage{Portal: s.portal(r, v, "gifts")}
	page.Year, _ = strconv.Atoi(r.URL.Query().Get("year")) // anything else: all years
	chosen := r.URL.Query().Get("org")
	var shown []donation.HistoryItem
	for _, p := range all {
		o, err := v.catalog.OrganisationByID(p.OrganisationID)
		if err != nil {
			return err
		}
		e, err := v.catalog.EntityByID(p.EntityID)
		if err != nil {
			return err
		}
		year := p.Day(e.Location()).Year()
		if !slices.Contains(page.Years, year) {
			page.Years = append(page.Years, year)
		}
		if pick := (view.FilterOption{Value: o.Slug, Label: o.Name.In(v.lang), Chosen: o.Slug == chosen}); !slices.Contains(page.Organisations, pick) {
			page.Organisations = append(page.Organisations, pick)
		}
		if (page.Year == 0 || page.Year == year) && (chosen == "" || chosen == o.Slug) {
			shown = append(shown, p)
		}
	}
	sums, _, err := donation.Totals(shown, 0)
	if err != nil {
		return err
	}
	page.Sums = sumsView(sums)
	if page.Gifts, err = v.giftsView(shown); err != nil {
		return err
	}
	return write(w, http.StatusOK, func(b io.Writer) error { return s.View.PortalGifts(b, page) })
}

// ownReceipt is the newest receipt of a gift of the visitor's. Of anybody else's gift there is none.
func (s *Server) ownReceipt(r *http.Request, v donorVisit) (donation.HistoryItem, view.ReceiptWords, error) {
	p, err := donation.HistoryByRef(r.Context(), s.DB, chi.URLParam(r, "ref"), v.ids()...)
	if err != nil {
		return p, view.ReceiptWords{}, err
	}
	if p.Receipt == nil {
		return p, view.ReceiptWords{}, errNotFound()
	}
	words, err := mail.ReceiptWords(*p.Receipt)
	return p, words, err
}

// receiptGet shows a receipt.
func (s *Server) receiptGet(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	p, words, err := s.ownReceipt(r, v)
	if err != nil {
		return err
	}
	page := view.PortalReceiptPage{Portal: s.portal(r, v, "gifts"), Receipt: words}
	page.Accent = words.Accent
	if p.IsValid() {
		page.PDF = receiptPath(p.PublicRef) + ".pdf"
	}
	return write(w, http.StatusOK, func(b io.Writer) error { return s.View.PortalReceipt(b, page) })
}

// receiptPDFGet hands a receipt out as a document, while it stands.
func (s *Server) receiptPDFGet(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	p, words, err := s.ownReceipt(r, v)
	if err != nil {
		return err
	}
	if !p.IsValid() {
		return errNotFound()
	}
	pdf, err := s.View.ReceiptPDF(words)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Content-Disposition", `attachment; filename="`+p.Receipt.Reference()+`.pdf"`)
	w.Header().Set("Content-Length", strconv.Itoa(len(pdf)))
	_, _ = w.Write(pdf) // a reader who left is no failure
	return nil
}

// plansGet lists somebody's recurring gifts, those that go on first.
func (s *Server) plansGet(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	page := view.PortalPlansPage{Portal: s.portal(r, v, "plans")}
	for _, shown := range []func(recurring.Status) bool{recurring.Status.IsRunning, recurring.Status.IsEnded} {
		plans, err := s.plansView(r, v, shown)
		if err != nil {
			return err
		}
		page.Plans = append(page.Plans, plans...)
	}
	return write(w, http.StatusOK, func(b io.Writer) error { return s.View.PortalPlans(b, page) })
}

// ownPlanGet shows a recurring gift of the visitor's, and what changes come to.
func (s *Server) ownPlanGet(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	p, err := s.ownPlan(r, v)
	if err != nil {
		return err
	}
	return s.showPlan(w, r, p)
}

// ownPlanPost does what the visitor confirmed.
func (s *Server) ownPlanPost(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	p, err := s.ownPlan(r, v)
	if err != nil {
		return err
	}
	return s.changePlan(w, r, p)
}

// ownPlan is the plan of the address, if it is the visitor's.
func (s *Server) ownPlan(r *http.Request, v donorVisit) (planView, error) {
	ref := chi.URLParam(r, "ref")
	p, err := s.openPlan(r, ref, string(v.lang))
	if err == nil && !v.owns(p.plan.DonorID) {
		err = errNotFound()
	}
	p.path, p.via, p.token = ownPlanPath(ref, p.lang), "portal", s.Access.Sessions().FormToken(v.Session)
	return p, err
}
