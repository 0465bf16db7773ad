package web

import (
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// Looks come after a second at first, because the word of a card is mostly there by then.
const (
	firstRefreshDelay = time.Second
	firstRefreshes    = 5
	refreshDelay      = 3 * time.Second
	maxRefreshes      = 45
)

// thanksGet tells what became of a gift. It only reads, decides nothing, and shows nothing of the person;
// what an address claims counts for nothing.
func (s *Server) thanksGet(w http.ResponseWriter, r *http.Request) error {
	offer, lang, catalog, err := s.offer(r)
	if err != nil {
		return err
	}
	o := offer.Organisation
	page := view.ThanksPage{
		Frame:        view.Frame{Language: lang, Switch: view.Switch(r.URL, lang, s.languagesOf(o)), Accent: o.Accent},
		Organisation: organisationView(offer, lang), FormURL: givePath(o.Slug, lang),
	}
	pass, err := s.eventPass(r, offer)
	if err != nil {
		return err
	}
	if pass != uuid.Nil {
		page.NextDonor = &view.Refresh{URL: page.FormURL, After: nextDonorAfter}
	}
	gift, err := donation.ByRef(r.Context(), s.DB, r.URL.Query().Get("gift"))
	switch {
	case fault.Is(err, fault.NotFound) || err == nil && gift.OrganisationID != o.ID:
		return s.writeThanks(w, http.StatusNotFound, page)
	case err != nil:
		return err
	}
	page.State, page.Amount, page.Covered = s.thanksState(gift), gift.Amount(), gift.Covered()
	switch page.State {
	case view.ThanksUnpaid, view.ThanksSettling:
		if pass == uuid.Nil {
			page.FormURL = againPath(o.Slug, gift.PublicRef, lang)
		}
	case view.ThanksPaid:
		if page.Purposes, err = s.purposes(r, catalog, gift, lang); err != nil {
			return err
		}
	}
	if page.State == view.ThanksSettling {
		if page.Refresh = refreshOf(r, o.Slug, gift.PublicRef, lang); page.Refresh != nil {
			page.NextDonor = nil
		}
	}
	return s.writeThanks(w, http.StatusOK, page)
}

func (s *Server) writeThanks(w http.ResponseWriter, status int, page view.ThanksPage) error {
	var body bytes.Buffer
	if err := s.View.Thanks(&body, page); err != nil {
		return err
	}
	html(w, status, body.Bytes())
	return nil
}

// thanksState reads the gift's status. A started gift whose donor is back may be paid with the word still on
// its way; once its payment page has run out it is not paid.
func (s *Server) thanksState(gift donation.Donation) view.ThanksState {
	switch gift.Status {
	case donation.Settled:
		return view.ThanksPaid
	case donation.Processing:
		return view.ThanksSettlingBank
	case donation.NeedsReview:
		return view.ThanksSettling
	case donation.Started:
		if s.Now().Before(gift.CheckoutExpiresAt.Add(time.Hour)) {
			return view.ThanksSettling
		}
	}
	return view.ThanksUnpaid
}

// purposes are what the parts of a gift are for, also those whose fund is closed by now.
func (s *Server) purposes(r *http.Request, catalog *fund.Catalog, gift donation.Donation, lang phrase.Language) ([]view.Purpose, error) {
	parts, err := donation.DesignationsOf(r.Context(), s.DB, idsOf(gift))
	if err != nil {
		return nil, err
	}
	var purposes []view.Purpose
	for _, p := range parts[gift.ID] {
		f, err := catalog.Fund(p.FundID)
		if err != nil {
			return nil, err
		}
		purposes = append(purposes, view.Purpose{Fund: f.Name.In(lang), Purpose: f.Purpose.In(lang), Amount: p.Amount})
	}
	return purposes, nil
}

// lookAgain makes the page ask again after a while, some dozens of times.
func refreshOf(r *http.Request, org, ref string, lang phrase.Language) *view.Refresh {
	looked, _ := strconv.Atoi(r.URL.Query().Get("look")) // anything else counts as the first look
	if looked >= maxRefreshes || looked < 0 {
		return nil
	}
	after := refreshDelay
	if looked < firstRefreshes {
		after = firstRefreshDelay
	}
	return &view.Refresh{URL: thanksPath(org, ref, lang) + "&look=" + url.QueryEscape(strconv.Itoa(looked+1)), After: after}
}
