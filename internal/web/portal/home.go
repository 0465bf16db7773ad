package portal

import (
	"io"
	"net/http"
	"strings"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/money"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/portal/giftpage"
)

// latestGifts is how many gifts the summary shows.
const latestGifts = 5

// homeGet shows a summary: what the visitor gave this year and in all, by fund, the running plans and the newest gifts.
func (a *Area) homeGet(w http.ResponseWriter, r *http.Request, v web.DonorVisit) error {
	gifts, err := donation.History(r.Context(), a.DB, donor.IDs(v.Donors))
	if err != nil {
		return err
	}
	page := HomePage{Page: a.page(r, v, "home"), Year: a.currentYear(v)}
	if len(v.Donors) > 0 {
		page.Name = v.Donors[0].FirstName
	}
	sums, funds, err := donation.Totals(gifts, page.Year)
	if err != nil {
		return err
	}
	page.Sums = totalsOf(sums)
	for _, f := range funds {
		total := FundTotal{Year: f.Year, All: f.Ever}
		if total.Fund, total.Organisation, err = fundNames(v, f); err != nil {
			return err
		}
		page.Funds = append(page.Funds, total)
	}
	if page.Gifts, err = giftItems(v, gifts[:min(len(gifts), latestGifts)]); err != nil {
		return err
	}
	if page.Plans, err = a.planItems(r, v, plan.Status.IsRunning); err != nil {
		return err
	}
	return web.WritePage(w, http.StatusOK, func(b io.Writer) error { return page.Write(b, a.View) })
}

// page returns what every page of a signed-in donor has in common.
func (a *Area) page(r *http.Request, v web.DonorVisit, section string) Page {
	p := Page{
		Frame:   view.Frame{Language: v.Language, Switch: view.Switch(r.URL, v.Language, a.Languages)},
		Section: section, Token: a.Access.Sessions().FormToken(v.Session),
	}
	switch done := r.URL.Query().Get("said"); done { // an address cannot make the page say anything else
	case "saved", "joined", "parted", "chosen", "ended":
		p.Done = done
	}
	return p
}

// currentYear returns this year in the time zone of the entity the visitor gave to last.
func (a *Area) currentYear(v web.DonorVisit) int {
	now := a.Now()
	if len(v.Donors) > 0 {
		if e, err := v.Catalog.EntityByID(v.Donors[0].EntityID); err == nil {
			now = now.In(e.Location())
		}
	}
	return now.Year()
}

// fundNames returns the names of a fund and of its organisation. Operations belongs to the entity and has one name.
func fundNames(v web.DonorVisit, f donation.FundTotal) (fundName, organisation string, err error) {
	found, err := v.Catalog.Fund(f.FundID)
	if err != nil || found.Code == fund.Operations {
		return found.Name.In(v.Language), found.Name.In(v.Language), err
	}
	o, err := v.Catalog.OrganisationByID(found.OrganisationID)
	return found.Name.In(v.Language), o.Name.In(v.Language), err
}

func totalsOf(sums []donation.Total) (totals []Total) {
	for _, s := range sums {
		totals = append(totals, Total{Year: s.Year, All: s.Ever, Gifts: s.Gifts})
	}
	return totals
}

// giftItems returns what a list shows of gifts.
func giftItems(v web.DonorVisit, gifts []donation.HistoryItem) ([]GiftItem, error) {
	items := make([]GiftItem, len(gifts))
	for i, g := range gifts {
		o, err := v.Catalog.OrganisationByID(g.OrganisationID)
		if err != nil {
			return nil, err
		}
		e, err := v.Catalog.EntityByID(g.EntityID)
		if err != nil {
			return nil, err
		}
		item := GiftItem{
			Day: g.Day(e.Location()), Organisation: o.Name.In(v.Language), Amount: g.Amount(), NetAmount: g.Remaining(), State: stateOf(g),
		}
		if g.Frequency != "once" {
			item.Every = g.Frequency
		}
		for _, part := range g.Parts {
			f, err := v.Catalog.Fund(part.FundID)
			if err != nil {
				return nil, err
			}
			item.Funds = append(item.Funds, f.Name.In(v.Language))
		}
		if g.Receipt != nil {
			item.Number, item.ReceiptURL = g.Receipt.Reference(), giftpage.ReceiptPath(g.PublicRef)
		}
		items[i] = item
	}
	return items, nil
}

// stateOf returns a gift's state as GiftItem.State.
func stateOf(g donation.HistoryItem) string {
	switch {
	case g.WasReturned() && g.IsValid():
		return "part_returned"
	case g.WasReturned():
		return "returned"
	default:
		return string(g.Status)
	}
}

// planItems returns what a list shows of the visitor's plans whose status is shown.
func (a *Area) planItems(r *http.Request, v web.DonorVisit, shown func(plan.Status) bool) ([]giftpage.PlanItem, error) {
	var items []giftpage.PlanItem
	plans, err := recurring.OfDonor(r.Context(), a.DB, donor.IDs(v.Donors)...)
	if err != nil {
		return nil, err
	}
	for _, p := range plans {
		if !shown(p.Status) {
			continue
		}
		e, err := v.Catalog.EntityByID(p.EntityID)
		if err != nil {
			return nil, err
		}
		o, err := v.Catalog.OrganisationByID(p.OrganisationID)
		if err != nil {
			return nil, err
		}
		item := giftpage.PlanItem{
			URL: giftpage.OwnPlanPath(p.PublicRef, v.Language), Organisation: o.Name.In(v.Language), Status: string(p.Status), Amount: p.NextCharge(),
			Ended: string(deref(p.EndedBecause)), Ends: giftpage.DateIn(p.EndsAt, e.Location()), Next: giftpage.DateIn(p.NextAt, e.Location()),
			Every: string(p.Frequency), Remaining: -1, Failing: p.FailingSince != nil && p.Status.IsRunning(),
		}
		if remaining, known := p.Remaining(); known && p.Status.IsRunning() && p.EndsAt == nil {
			item.Remaining = remaining
		}
		items = append(items, item)
	}
	return items, nil
}

// majorUnits returns an amount as a field shows it: 20, 20.50.
func majorUnits(a money.Amount) string { return strings.TrimSuffix(a.Decimal(), ".00") }
