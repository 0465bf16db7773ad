package gifts

import (
	"cmp"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/office/giftlist"
	"konbit/internal/office/note"
	"konbit/internal/people/staff"
	"konbit/internal/platform/money"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// GiftPage is a gift with everything that happened to it.
type GiftPage struct {
	desk.Page
	Who, For             string
	Amount               money.Amount
	State                desk.Cell
	Steps                []Step
	Refund, Donor, Again string // addresses of what can be done; may be empty
	List, Before, After  string // addresses of the list, and of the gifts beside this one in it; the last two may be empty
	Facts                []Fact
	Shares               desk.Table
	History              []Happening
	Entries              []Entry
	Notes                desk.Notes
}

// Step is a step of a gift's way.
type Step struct {
	Text          string
	Done, Current bool
}

// Fact is a label and what stands beside it.
type Fact struct {
	Label string
	desk.Cell
}

// Entry is a journal entry.
type Entry struct {
	Title string
	Table desk.Table
}

func (a *Area) giftGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	ctx := r.Context()
	var (
		g        *giftlist.Gift
		history  []giftlist.Event
		shares   []giftlist.Share
		postings []giftlist.Posting
		accounts map[ledger.Account]string
		before   *giftlist.Key
		after    *giftlist.Key
		notes    desk.Notes
	)
	err := a.reading(r, v, func(tx *sqlx.Tx, c chosen) (err error) {
		if g, err = giftlist.ByRef(ctx, tx, v.Entity.ID, chi.URLParam(r, "ref")); err != nil {
			return err
		}
		if g == nil || v.Organisation != nil && g.OrganisationID != v.Organisation.ID {
			return web.NotFound()
		}
		if history, err = giftlist.History(ctx, tx, g.ID); err != nil {
			return err
		}
		if shares, err = giftlist.SharesOf(ctx, tx, g.ID); err != nil {
			return err
		}
		if postings, err = giftlist.Postings(ctx, tx, g.ID); err != nil {
			return err
		}
		if accounts, err = ledger.Chart(ctx, tx); err != nil {
			return err
		}
		if notes, err = a.NotesOn(r, v, tx, note.Object{Kind: note.Gift, ID: g.ID}); err != nil {
			return err
		}
		before, after, err = giftlist.Beside(ctx, tx, c.Query, giftlist.Key{ID: g.ID, ChargedAt: g.ChargedAt})
		return err
	})
	if err != nil {
		return err
	}
	p := GiftPage{
		Page: a.PageOf(r, v, "gifts"), Who: cmp.Or(nameOf(*g), a.say(v, "erased")), For: fundNames(v, *g), Amount: money.New(g.AmountMinor, g.Currency),
		State: a.stateOf(v, *g), List: listPath(r.URL, v), Notes: notes, Facts: a.facts(v, *g, history), Steps: a.steps(v, *g, history),
		Shares: a.shares(v, *g, shares), History: a.happenings(v, *g, history), Entries: a.entries(v, *g, postings, accounts),
	}
	p.offer(v, *g)
	if before != nil {
		p.Before = giftPath(r.URL, v, before.PublicRef)
	}
	if after != nil {
		p.After = giftPath(r.URL, v, after.PublicRef)
	}
	return a.Write(w, http.StatusOK, "gift", v.Language, p)
}

// offer sets what the reader can do with the gift.
func (p *GiftPage) offer(v web.StaffVisit, g giftlist.Gift) {
	if v.Has(v.Scope, staff.Finance) && g.Status == "settled" && g.ReturnedMinor < g.AmountMinor {
		p.Refund = v.Path("gifts/" + g.PublicRef + "/refund")
	}
	p.Donor = v.Path("donors/" + g.DonorID.String())
	if v.Has(v.Scope, staff.Finance) && g.Status == "settled" && g.Email != "" {
		p.Again = p.Donor + "#receipts"
	}
}

// facts returns what is known of a gift, for its head.
func (a *Area) facts(v web.StaffVisit, g giftlist.Gift, history []giftlist.Event) []Fact {
	add := func(all []Fact, key string, cell desk.Cell) []Fact {
		return append(all, Fact{a.say(v, "fact."+key), cell})
	}
	all := add(nil, "charged", desk.Cell{At: g.ChargedAt.In(desk.ZoneOf(v))})
	if g.TaxDate != nil {
		all = add(all, "tax_date", desk.Cell{Day: g.TaxDate.In(desk.ZoneOf(v))})
	}
	if o, err := v.Catalog.OrganisationByID(g.OrganisationID); err == nil {
		all = add(all, "to", desk.Cell{Text: o.Name.In(v.Language), Soft: fundNames(v, g)})
	}
	all = add(all, "kind", desk.Cell{Text: a.say(v, "every."+g.Frequency), Soft: a.say(v, "source."+cmp.Or(g.Source, "form"))})
	if g.Email != "" {
		all = add(all, "email", desk.Cell{Text: g.Email})
	}
	if g.ReturnedMinor > 0 {
		all = add(all, "returned", desk.AmountCell(money.New(g.ReturnedMinor, g.Currency)))
	}
	for i := len(history) - 1; i >= 0; i-- {
		if e := history[i]; e.What == "receipt" {
			all = add(all, "receipt", desk.Cell{Text: e.Ref})
			break
		}
	}
	for _, e := range history {
		if e.What == "payment" && e.Ref != "" {
			all = add(all, "charge", desk.Cell{Text: e.Ref})
		}
	}
	return add(all, "ref", desk.Cell{Text: g.PublicRef})
}

// steps returns the way of a gift: charged, booked, paid out.
func (a *Area) steps(v web.StaffVisit, g giftlist.Gift, history []giftlist.Event) []Step {
	done := map[string]bool{"charged": true, "booked": g.Status == "settled"}
	for _, e := range history {
		done["receipt"] = done["receipt"] || e.What == "receipt"
		done["paid_out"] = done["paid_out"] || e.What == "payout" && e.Name == "paid"
	}
	steps := make([]Step, 0, 4)
	for _, key := range []string{"charged", "booked", "receipt", "paid_out"} {
		steps = append(steps, Step{Text: a.say(v, "step."+key), Done: done[key]})
	}
	for i := range steps {
		if !steps[i].Done {
			steps[i].Current = true
			break
		}
	}
	return steps
}

// shares returns what each fund got of a gift, and what was taken from it.
func (a *Area) shares(v web.StaffVisit, g giftlist.Gift, shares []giftlist.Share) desk.Table {
	column := func(name string, number bool) desk.Column {
		return desk.Column{Name: name, Label: a.say(v, "column."+name), Number: number}
	}
	t := desk.Table{Caption: a.say(v, "shares"), Columns: []desk.Column{
		column("fund", false), column("gift", true), column("fee", true), column("sponsor_fee", true), column("returned", true), column("left", true),
	}}
	amount := func(minor int64) desk.Cell { return desk.AmountCell(money.New(minor, g.Currency)) }
	var sum giftlist.Share
	for _, s := range shares {
		name := ""
		if f, err := v.Catalog.Fund(s.FundID); err == nil {
			name = f.Name.In(v.Language)
		}
		t.Rows = append(t.Rows, desk.Row{Cells: []desk.Cell{{Text: name}, amount(s.Gift), amount(-s.Fee), amount(-s.SponsorFee),
			amount(-s.Returned), amount(s.Gift - s.Fee - s.SponsorFee - s.Returned)}})
		sum.Gift, sum.Fee, sum.SponsorFee, sum.Returned = sum.Gift+s.Gift, sum.Fee+s.Fee, sum.SponsorFee+s.SponsorFee, sum.Returned+s.Returned
	}
	if len(shares) > 1 {
		t.Total = []desk.Cell{{Text: a.say(v, "sum")}, amount(sum.Gift), amount(-sum.Fee), amount(-sum.SponsorFee), amount(-sum.Returned),
			amount(sum.Gift - sum.Fee - sum.SponsorFee - sum.Returned)}
	}
	return t
}
