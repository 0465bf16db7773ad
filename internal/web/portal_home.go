package web

import (
	"io"
	"net/http"
	"net/url"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// latestGifts is how many gifts the overview shows.
const latestGifts = 5

// portalGet shows at a glance what somebody gave: this year and in all, by fund, what goes on, and the newest gifts.
func (s *Server) portalGet(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	past, err := donation.History(r.Context(), s.DB, donor.IDs(v.donors))
	if err != nil {
		return err
	}
	page := view.PortalHomePage{Portal: s.portal(r, v, "home"), Year: s.year(v)}
	if len(v.donors) > 0 {
		page.Name = v.donors[0].FirstName
	}
	sums, funds, err := donation.Totals(past, page.Year)
	if err != nil {
		return err
	}
	page.Sums = sumsView(sums)
	for _, f := range funds {
		given := view.GivenFund{Year: f.Year, All: f.Ever}
		if given.Fund, given.Organisation, err = v.fundNames(f); err != nil {
			return err
		}
		page.Funds = append(page.Funds, given)
	}
	if page.Gifts, err = v.giftsView(past[:min(len(past), latestGifts)]); err != nil {
		return err
	}
	if page.Plans, err = s.plansView(r, v, recurring.Status.IsRunning); err != nil {
		return err
	}
	return write(w, http.StatusOK, func(b io.Writer) error { return s.View.PortalHome(b, page) })
}

// portal is what every page of a donor's own has around it.
func (s *Server) portal(r *http.Request, v donorVisit, here string) view.Portal {
	p := view.Portal{Frame: view.Frame{Language: v.lang, Switch: view.Switch(r.URL, v.lang, s.Languages)}, Section: here, Token: s.Access.Sessions().FormToken(v.Session)}
	switch said := r.URL.Query().Get("said"); said { // only what we say
	case "saved", "joined", "parted":
		p.Done = said
	}
	return p
}

// year is this one, where the entity is that they gave to last.
func (s *Server) year(v donorVisit) int {
	now := s.Now()
	if len(v.donors) > 0 {
		if e, err := v.catalog.EntityByID(v.donors[0].EntityID); err == nil {
			now = now.In(e.Location())
		}
	}
	return now.Year()
}

// fundNames are those of a fund and of whose it is.
func (v donorVisit) fundNames(f donation.FundTotal) (fundName, organisation string, err error) {
	found, err := v.catalog.Fund(f.FundID)
	if err != nil || found.Code == fund.Operations {
		return found.Name.In(v.lang), found.Name.In(v.lang), err
	}
	o, err := v.catalog.OrganisationByID(found.OrganisationID)
	return found.Name.In(v.lang), o.Name.In(v.lang), err
}

func sumsView(sums []donation.Total) (shown []view.GivenSum) {
	for _, s := range sums {
		shown = append(shown, view.GivenSum{Year: s.Year, All: s.Ever, Gifts: s.Gifts})
	}
	return shown
}

// giftsView tells of gifts what a list shows.
func (v donorVisit) giftsView(past []donation.HistoryItem) ([]view.PortalGift, error) {
	gifts := make([]view.PortalGift, len(past))
	for i, p := range past {
		o, err := v.catalog.OrganisationByID(p.OrganisationID)
		if err != nil {
			return nil, err
		}
		e, err := v.catalog.EntityByID(p.EntityID)
		if err != nil {
			return nil, err
		}
		g := view.PortalGift{
			Day: p.Day(e.Location()), Organisation: o.Name.In(v.lang), Amount: p.Amount(), NetAmount: p.Remaining(), State: stateOf(p),
		}
		if p.Frequency != "once" {
			g.Every = p.Frequency
		}
		for _, part := range p.Parts {
			f, err := v.catalog.Fund(part.FundID)
			if err != nil {
				return nil, err
			}
			g.Funds = append(g.Funds, f.Name.In(v.lang))
		}
		if p.Receipt != nil {
			g.Number, g.ReceiptURL = p.Receipt.Reference(), receiptPath(p.PublicRef)
		}
		gifts[i] = g
	}
	return gifts, nil
}

func stateOf(p donation.HistoryItem) string {
	switch {
	case p.WasReturned() && p.IsValid():
		return "part_returned"
	case p.WasReturned():
		return "returned"
	default:
		return string(p.Status)
	}
}

// plansView lists the visitor's recurring gifts of some statuses.
func (s *Server) plansView(r *http.Request, v donorVisit, shown func(recurring.Status) bool) ([]view.PortalPlan, error) {
	var plans []view.PortalPlan
	for _, d := range v.donors {
		all, err := recurring.OfDonor(r.Context(), s.DB, d.ID)
		if err != nil {
			return nil, err
		}
		e, err := v.catalog.EntityByID(d.EntityID)
		if err != nil {
			return nil, err
		}
		for _, p := range all {
			if !shown(p.Status) {
				continue
			}
			o, err := v.catalog.OrganisationByID(p.OrganisationID)
			if err != nil {
				return nil, err
			}
			plan := view.PortalPlan{
				URL: ownPlanPath(p.PublicRef, v.lang), Organisation: o.Name.In(v.lang), Status: string(p.Status), Amount: p.Amount(), Every: string(p.Frequency),
				Remaining: -1, Failing: p.FailingSince != nil && p.Status.IsRunning(),
			}
			if left, known := p.Remaining(); known && p.Status.IsRunning() {
				plan.Remaining = left
			}
			if p.NextAt != nil {
				plan.Next = p.NextAt.In(e.Location())
			}
			plans = append(plans, plan)
		}
	}
	return plans, nil
}

func receiptPath(ref string) string { return "/portal/gifts/" + url.PathEscape(ref) + "/receipt" }

func ownPlanPath(ref string, lang phrase.Language) string {
	return "/portal/plans/" + url.PathEscape(ref) + "?lang=" + url.QueryEscape(string(lang))
}
