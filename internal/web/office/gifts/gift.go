package gifts

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/office/giftlist"
	"konbit/internal/office/note"
	"konbit/internal/office/offline"
	"konbit/internal/office/refund"
	"konbit/internal/people/staff"
	"konbit/internal/platform/money"
	"konbit/internal/processor/dispute"
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
	Refund, Donor, Again string   // addresses of what can be done; may be empty
	Correct, Void        string   // likewise
	Corrections          []Link   // what waits, and the gifts that this one replaces or that replace it
	Says                 []string // why something cannot be done
	List, Before, After  string   // addresses of the list, and of the gifts beside this one in it; the last two may be empty
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

// Link is an address with its words.
type Link struct{ Text, URL string }

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
		paper    *offline.Paper
		what     changed
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
		if paper, err = offline.PaperOf(ctx, tx, g.ID); err != nil {
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
		if what, err = a.changedOf(ctx, tx, v, g.ID); err != nil {
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
		State: a.stateOf(v, *g, what.voided), List: listPath(r.URL, v), Notes: notes, Facts: a.facts(v, *g, paper, history), Steps: a.steps(v, *g, paper,
			history),
		Shares: a.shares(v, *g, shares), History: a.happenings(v, *g, history), Entries: a.entries(v, *g, postings, accounts), Corrections: what.links,
	}
	if state := outcome(history); paper != nil && state != "" && g.ReturnedMinor >= g.AmountMinor && !what.voided {
		p.State.Text = a.say(v, "state."+state)
	}
	if a.offer(v, &p, *g, history, what.voided); what.offered {
		p.Correct, p.Void = v.Path("gifts/"+g.PublicRef+"/correct"), v.Path("gifts/"+g.PublicRef+"/void")
	}
	for _, e := range history {
		if state := refund.State(e.Name); e.What == "order" && (state == refund.Ordered || state == refund.Sent || state == refund.Pending) {
			p.Says = append(p.Says, a.say(v, "refund_underway"))
			break
		}
	}
	if before != nil {
		p.Before = giftPath(r.URL, v, before.PublicRef)
	}
	if after != nil {
		p.After = giftPath(r.URL, v, after.PublicRef)
	}
	return a.Write(w, http.StatusOK, "gift", v.Language, p)
}

// offer sets what the reader can do with the gift, and why they cannot do the rest. Refunds are the entity's: the money is on its account.
func (a *Area) offer(v web.StaffVisit, p *GiftPage, g giftlist.Gift, history []giftlist.Event, voided bool) {
	p.Donor = v.Path("donors/" + g.DonorID.String())
	if !v.Has(v.Scope, staff.Finance) || g.Status != "settled" {
		return
	}
	if voided {
		p.Says = append(p.Says, a.View.Phrase(v.Language, "office.void.says"))
		return
	}
	state := dispute.State(g.Dispute)
	switch {
	case g.ReturnedMinor >= g.AmountMinor && state != dispute.Lost:
	case state == dispute.Open || state == dispute.Answered || state == dispute.Lost:
		p.Says = append(p.Says, a.View.Phrase(v.Language, "refund.problem.disputed"))
	case !v.Has(staff.Scope{EntityID: v.Entity.ID}, staff.Finance):
		p.Says = append(p.Says, a.View.Phrase(v.Language, "office.refund.why.project", "entity", v.Entity.LegalName))
	default:
		p.Refund = v.Path("gifts/" + g.PublicRef + "/refund")
	}
	switch number, void := receiptOf(history); {
	case void:
		p.Says = append(p.Says, a.say(v, "void", "number", number))
	case number != "" && g.Email != "":
		p.Again = p.Donor + "#receipts"
	}
}

// receiptOf returns the number of the newest receipt in a gift's history, and whether it is void; empty if there is none.
func receiptOf(history []giftlist.Event) (number string, void bool) {
	for _, e := range history {
		if e.What == "receipt" {
			number = e.Ref
		}
	}
	return number, number != "" && slices.ContainsFunc(history, func(e giftlist.Event) bool { return e.What == "void" && e.Ref == number })
}

// facts returns what is known of a gift, for its head.
func (a *Area) facts(v web.StaffVisit, g giftlist.Gift, paper *offline.Paper, history []giftlist.Event) []Fact {
	add := func(all []Fact, key string, cell desk.Cell) []Fact {
		return append(all, Fact{a.say(v, "fact."+key), cell})
	}
	var all []Fact
	if paper == nil {
		all = add(nil, "charged", desk.Cell{At: g.ChargedAt.In(desk.ZoneOf(v))})
	} else {
		all = a.paperFacts(v, *paper)
	}
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
	if number, void := receiptOf(history); number != "" {
		cell := desk.Cell{Text: number}
		if void {
			cell.Soft = a.say(v, "receipt_void")
		}
		all = add(all, "receipt", cell)
	}
	for _, e := range history {
		if e.What == "payment" && e.Ref != "" && paper == nil {
			all = add(all, "charge", desk.Cell{Text: e.Ref})
		}
	}
	return add(all, "ref", desk.Cell{Text: g.PublicRef})
}

// steps returns the way of a gift: charged, booked, paid out; of one without a payment processor, see paperSteps.
func (a *Area) steps(v web.StaffVisit, g giftlist.Gift, paper *offline.Paper, history []giftlist.Event) []Step {
	keys, done := []string{"charged", "booked", "receipt", "paid_out"}, map[string]bool{"charged": true}
	if paper != nil {
		keys, done = paperSteps(*paper, history)
	}
	done["booked"] = g.Status == "settled"
	for _, e := range history {
		done["receipt"] = done["receipt"] || e.What == "receipt"
		done["paid_out"] = done["paid_out"] || e.What == "payout" && e.Name == "paid"
	}
	steps := make([]Step, 0, 4)
	for _, key := range keys {
		steps = append(steps, Step{Text: a.say(v, "step."+key), Done: done[key]})
	}
	for i := range steps {
		if !steps[i].Done {
			steps[i].Current = g.Status != "failed" && g.Status != "expired"
			break
		}
	}
	return steps
}

// shares returns what each fund got of a gift, and what was taken from it; what disputes took has a column if there is any.
func (a *Area) shares(v web.StaffVisit, g giftlist.Gift, shares []giftlist.Share) desk.Table {
	var sum giftlist.Share
	for _, s := range shares {
		sum.Gift, sum.Fee, sum.SponsorFee = sum.Gift+s.Gift, sum.Fee+s.Fee, sum.SponsorFee+s.SponsorFee
		sum.Refunded, sum.Disputed = sum.Refunded+s.Refunded, sum.Disputed+s.Disputed
	}
	names := []string{"fund", "gift", "fee", "sponsor_fee", "refunded"}
	disputed := slices.ContainsFunc(shares, func(s giftlist.Share) bool { return s.Disputed != 0 })
	if disputed {
		names = append(names, "disputed")
	}
	t := desk.Table{Caption: a.say(v, "shares")}
	for i, name := range append(names, "left") {
		t.Columns = append(t.Columns, desk.Column{Name: name, Label: a.say(v, "column."+name), Number: i > 0})
	}
	row := func(name string, s giftlist.Share) []desk.Cell {
		amounts := []int64{s.Gift, -s.Fee, -s.SponsorFee, -s.Refunded}
		if disputed {
			amounts = append(amounts, -s.Disputed)
		}
		cells := []desk.Cell{{Text: name}}
		for _, minor := range append(amounts, s.Gift-s.Fee-s.SponsorFee-s.Refunded-s.Disputed) {
			cells = append(cells, desk.AmountCell(money.New(minor, g.Currency)))
		}
		return cells
	}
	for _, s := range shares {
		name := ""
		if f, err := v.Catalog.Fund(s.FundID); err == nil {
			name = f.Name.In(v.Language)
		}
		t.Rows = append(t.Rows, desk.Row{Cells: row(name, s)})
	}
	if len(shares) > 1 {
		t.Total = row(a.say(v, "sum"), sum)
	}
	return t
}
