package portal

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-chi/chi/v5"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/plan"
	"konbit/internal/mail/paper"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/typeset"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/portal/giftpage"
)

// giftsGet lists the visitor's gifts, all or those of ?year= or ?org=.
func (a *Area) giftsGet(w http.ResponseWriter, r *http.Request, v web.DonorVisit) error {
	all, err := donation.History(r.Context(), a.DB, donor.IDs(v.Donors))
	if err != nil {
		return err
	}
	page := GiftsPage{Page: a.page(r, v, "gifts")}
	page.Year, _ = strconv.Atoi(r.URL.Query().Get("year")) // anything else: all years
	chosen := r.URL.Query().Get("org")
	var shown []donation.HistoryItem
	for _, g := range all {
		o, err := v.Catalog.OrganisationByID(g.OrganisationID)
		if err != nil {
			return err
		}
		e, err := v.Catalog.EntityByID(g.EntityID)
		if err != nil {
			return err
		}
		year := g.Day(e.Location()).Year()
		if !slices.Contains(page.Years, year) {
			page.Years = append(page.Years, year)
		}
		option := FilterOption{Value: o.Slug, Label: o.Name.In(v.Language), Chosen: o.Slug == chosen}
		if !slices.Contains(page.Organisations, option) {
			page.Organisations = append(page.Organisations, option)
		}
		if (page.Year == 0 || page.Year == year) && (chosen == "" || chosen == o.Slug) {
			shown = append(shown, g)
		}
	}
	sums, _, err := donation.Totals(shown, 0)
	if err != nil {
		return err
	}
	page.Sums = totalsOf(sums)
	if page.Gifts, err = giftItems(v, shown); err != nil {
		return err
	}
	return web.WritePage(w, http.StatusOK, func(b io.Writer) error { return page.Write(b, a.View) })
}

// ownReceipt is a gift of the visitor and its newest receipt.
type ownReceipt struct {
	gift  donation.HistoryItem
	words view.ReceiptWords
}

// ownReceipt returns the receipt of the visitor's gift that the path names; fault.NotFound if it has none.
func (a *Area) ownReceipt(r *http.Request, v web.DonorVisit) (o ownReceipt, err error) {
	if o.gift, err = donation.HistoryByRef(r.Context(), a.DB, chi.URLParam(r, "ref"), donor.IDs(v.Donors)...); err != nil {
		return o, err
	}
	if o.gift.Receipt == nil {
		return o, web.NotFound()
	}
	o.words, err = paper.ReceiptWords(*o.gift.Receipt)
	return o, err
}

// receiptGet shows a receipt.
func (a *Area) receiptGet(w http.ResponseWriter, r *http.Request, o web.Owned[ownReceipt]) error {
	gift, words := o.Object.gift, o.Object.words
	page := ReceiptPage{Page: a.page(r, o.DonorVisit, "gifts"), Receipt: words}
	page.Accent = words.Accent
	if gift.IsValid() {
		page.PDF = giftpage.ReceiptPath(gift.PublicRef) + ".pdf"
	}
	return web.WritePage(w, http.StatusOK, func(b io.Writer) error { return page.Write(b, a.View) })
}

// receiptPDFGet sends a receipt as a document; fault.NotFound if it is no longer valid.
func (a *Area) receiptPDFGet(w http.ResponseWriter, _ *http.Request, o web.Owned[ownReceipt]) error {
	if !o.Object.gift.IsValid() {
		return web.NotFound()
	}
	pdf, err := a.View.ReceiptPDF(o.Object.words)
	if err != nil {
		return paperError(err)
	}
	web.WritePDF(w, o.Object.gift.Receipt.Reference()+".pdf", pdf)
	return nil
}

// paperError returns what a donor reads if a document cannot be made because the server lacks a font: the page that led
// here shows the same receipt or statement.
func paperError(err error) error {
	var missing *typeset.MissingError
	if errors.As(err, &missing) {
		return fault.Wrap(fault.Unavailable, "portal.pdf_waits", err)
	}
	return err
}

// plansGet lists the visitor's recurring gifts: first those that are running, then those that have ended.
func (a *Area) plansGet(w http.ResponseWriter, r *http.Request, v web.DonorVisit) error {
	page := PlansPage{Page: a.page(r, v, "plans")}
	for _, shown := range []func(plan.Status) bool{plan.Status.IsRunning, plan.Status.IsEnded} {
		plans, err := a.planItems(r, v, shown)
		if err != nil {
			return err
		}
		page.Plans = append(page.Plans, plans...)
	}
	return web.WritePage(w, http.StatusOK, func(b io.Writer) error { return page.Write(b, a.View) })
}
