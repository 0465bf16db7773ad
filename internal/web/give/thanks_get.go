package give

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"konbit/internal/giving/checkout"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/fault"
	"konbit/internal/view"
	"konbit/internal/web"
)

// The page after payment reloads itself while the result is open: first every second, because the result of a card
// payment mostly arrives within a few seconds, then less often, and after maxRefreshes not at all.
const (
	firstRefreshDelay = time.Second
	firstRefreshes    = 5
	refreshDelay      = 3 * time.Second
	maxRefreshes      = 45
)

// thanksGet shows the result of a gift. It only reads, and shows nothing about the person. Of the address's parameters
// it uses only the gift's reference.
func (a *Area) thanksGet(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	o, err := a.offer(r)
	if err != nil {
		return err
	}
	page := ThanksPage{Frame: a.frame(r, o), Organisation: o.organisation(), FormURL: formPath(o.Organisation.Slug, o.lang)}
	pass, err := a.eventPass(r, o)
	if err != nil {
		return err
	}
	if pass != uuid.Nil {
		page.NextDonor = &Refresh{URL: page.FormURL, After: nextDonorAfter}
	}
	gift, err := donation.ByRef(r.Context(), a.DB, r.URL.Query().Get("gift"))
	switch {
	case fault.Is(err, fault.NotFound) || err == nil && gift.OrganisationID != o.Organisation.ID:
		return a.writeThanks(w, http.StatusNotFound, page)
	case err != nil:
		return err
	}
	if page.State, err = a.thanksState(r, gift); err != nil {
		return err
	}
	page.Amount, page.Covered = gift.Amount(), gift.Covered()
	switch page.State {
	case ThanksUnpaid, ThanksSettling:
		if gift.Status == donation.Processing {
			page.FormURL = "" // it is paid
		} else if pass == uuid.Nil {
			page.FormURL = restorePath(o.Organisation.Slug, gift.PublicRef, o.lang)
		}
	case ThanksPaid:
		if page.Purposes, err = a.purposes(r, o, gift); err != nil {
			return err
		}
		if err := a.showPlan(r, gift, &page); err != nil {
			return err
		}
	}
	if page.State == ThanksSettling {
		if page.Refresh = refreshOf(r, o, gift.PublicRef); page.Refresh != nil {
			page.NextDonor = nil
		}
	}
	return a.writeThanks(w, http.StatusOK, page)
}

func (a *Area) writeThanks(w http.ResponseWriter, status int, page ThanksPage) error {
	return web.WritePage(w, status, func(b io.Writer) error { return page.Write(b, a.View) })
}

// thanksState returns the page's state for the gift's status. A started gift may be paid without our knowing it yet,
// until an hour after its payment page has expired.
func (a *Area) thanksState(r *http.Request, gift donation.Donation) (ThanksState, error) {
	switch gift.Status {
	case donation.Settled:
		return ThanksPaid, nil
	case donation.Processing:
		found, err := donation.IsFoundPaid(r.Context(), a.DB, gift.ID)
		if found || err != nil {
			return ThanksSettling, err
		}
		return ThanksSettlingBank, nil
	case donation.NeedsReview:
		return ThanksSettling, nil
	case donation.Started:
		begun, err := checkout.ByDonation(r.Context(), a.DB, gift.ID)
		if err != nil {
			return ThanksUnpaid, err
		}
		if a.Now().Before(begun.ExpiresAt.Add(time.Hour)) {
			return ThanksSettling, nil
		}
	}
	return ThanksUnpaid, nil
}

// purposes returns what the parts of a gift are for, including funds that have been closed since.
func (a *Area) purposes(r *http.Request, o offer, gift donation.Donation) ([]view.Purpose, error) {
	parts, err := donation.DesignationsOf(r.Context(), a.DB, []uuid.UUID{gift.ID})
	if err != nil {
		return nil, err
	}
	var purposes []view.Purpose
	for _, p := range parts[gift.ID] {
		f, err := o.catalog.Fund(p.FundID)
		if err != nil {
			return nil, err
		}
		purposes = append(purposes, view.Purpose{Fund: f.Name.In(o.lang), Purpose: f.Purpose.In(o.lang), Amount: p.Given()})
	}
	return purposes, nil
}

// showPlan says of a gift that begins a recurring one how it goes on.
func (a *Area) showPlan(r *http.Request, gift donation.Donation, page *ThanksPage) error {
	if gift.PlanID == nil {
		return nil
	}
	p, err := recurring.ByID(r.Context(), a.DB, *gift.PlanID)
	if err != nil {
		return err
	}
	page.Every = string(p.Frequency)
	if p.Total != nil {
		page.Of = *p.Total
	}
	return nil
}

// refreshOf returns when the page loads itself again; nil after maxRefreshes. The address counts the refreshes
// (?look=).
func refreshOf(r *http.Request, o offer, ref string) *Refresh {
	count, _ := strconv.Atoi(r.URL.Query().Get("look")) // anything else counts as the first view
	if count >= maxRefreshes || count < 0 {
		return nil
	}
	after := refreshDelay
	if count < firstRefreshes {
		after = firstRefreshDelay
	}
	return &Refresh{URL: thanksPath(o.Organisation.Slug, ref, o.lang) + "&look=" + url.QueryEscape(strconv.Itoa(count+1)), After: after}
}
