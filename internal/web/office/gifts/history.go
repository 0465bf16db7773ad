package gifts

import (
	"cmp"
	"net/url"
	"time"

	"github.com/google/uuid"

	"konbit/internal/books/ledger"
	"konbit/internal/office/giftlist"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// Happening is a line of a gift's history.
type Happening struct {
	At    time.Time
	Text  string
	Soft  string // ids, addresses, who
	State string // good, hold, bad: a shape beside the text; empty: none
	URL   string // what it leads to; may be empty
}

// happenings returns the history of a gift in words.
func (a *Area) happenings(v web.StaffVisit, g giftlist.Gift, events []giftlist.Event) (all []Happening) {
	for _, e := range events {
		h := a.happening(v, g, e)
		if h.At = e.At.In(desk.ZoneOf(v)); e.What == "order" || e.What == "email" || e.What == "moved" { // times of the machine's clock
			h.At = a.Moment(e.At, desk.ZoneOf(v))
		}
		all = append(all, h)
	}
	return all
}

// searchPath returns the address of the list of gifts that a text finds.
func searchPath(v web.StaffVisit, text string) string {
	list, err := url.Parse(v.Path("gifts"))
	if err != nil {
		panic("gifts: the address of the list: " + err.Error()) // it is the program's own
	}
	return desk.With(list, "q", text)
}

// known returns name if the page has words about it, or else "other".
func (a *Area) known(what, name string) string {
	if key := what + "." + name; a.View.HasPhrase("office.gifts.event." + key) {
		return key
	}
	return what + ".other"
}

func (a *Area) happening(v web.StaffVisit, g giftlist.Gift, e giftlist.Event) (h Happening) {
	var amount money.Amount
	if e.Amount != nil {
		amount = money.New(*e.Amount, g.Currency)
	}
	key := e.What
	switch e.What {
	case "step", "change", "payout", "void", "payment", "bank", "repaid":
		key = a.known(e.What, e.Name)
	case "order":
		key = "order"
	}
	h.Text = a.say(v, "event."+key, "amount", amount, "number", e.Ref, "name", e.Name)
	switch e.What {
	case "payment", "fee", "change":
		h.Soft = e.Ref
	case "payout":
		h.Soft, h.URL = e.Ref, searchPath(v, e.Ref)
		if v.Organisation == nil { // a payout is the entity's
			h.URL = v.Path("payouts/" + e.Ref)
		}
		h.State = map[string]string{"paid": "good", "failed": "bad", "canceled": "bad"}[e.Name]
	case "step":
		h.State = map[string]string{"settled": "good", "failed": "bad", "held": "hold", "processing": "hold"}[e.Name]
	case "order":
		h.Text = a.say(v, "event.order", "amount", amount, "state", a.View.Phrase(v.Language, "refund.state."+e.Name))
		if h.Soft = cmp.Or(e.Person, v.Entity.LegalName); e.Detail != "" {
			h.Soft = a.say(v, "approved_by", "name", h.Soft, "approver", e.Detail)
		}
	case "email":
		h.Text = a.say(v, "event."+a.known("email", e.Name))
		h.Soft = a.say(v, "delivery."+e.Detail) + " · " + cmp.Or(e.Ref, a.say(v, "erased"))
		h.State = map[string]string{"accepted": "good", "refused": "bad", "waiting": "hold"}[e.Detail]
	case "moved":
		h.Soft = e.Person
	case "deposit":
		h.URL = v.Path("deposits/" + e.Ref)
	case "bank":
		h.Soft, h.URL, h.State = e.Ref, v.Path("bank/"+e.Ref), "good"
	case "repaid":
		h.Soft = e.Ref
	}
	return h
}

// accountName returns the name of an account in the reader's language; of one that the words do not have, that of the chart.
func (a *Area) accountName(v web.StaffVisit, account ledger.Account, chart map[ledger.Account]string) string {
	if key := "office.account_name." + string(account); a.View.HasPhrase(key) {
		return a.View.Phrase(v.Language, key)
	}
	return chart[account]
}

// entries returns the journal entries about a gift, as far as the reader sees their postings.
func (a *Area) entries(v web.StaffVisit, g giftlist.Gift, postings []giftlist.Posting, accounts map[ledger.Account]string) (all []Entry) {
	column := func(name string, number bool) desk.Column {
		return desk.Column{Name: name, Label: a.say(v, "column."+name), Number: number}
	}
	last := uuid.Nil
	for _, p := range postings {
		if p.EntryID != last {
			last = p.EntryID
			all = append(all, Entry{
				Title: a.say(v, "entry", "day", phrase.Date(v.Language, p.Date.In(desk.ZoneOf(v))), "kind", p.Kind, "serial", p.Serial),
				Table: desk.Table{Caption: p.Kind, Columns: []desk.Column{column("account", false), column("fund", false), column("debit", true),
					column("credit", true)}},
			})
		}
		fund := ""
		if f, err := v.Catalog.Fund(p.FundID); err == nil {
			fund = f.Name.In(v.Language)
		}
		cells := []desk.Cell{{Text: string(p.Account), Soft: a.accountName(v, p.Account, accounts)}, {Text: fund}, {}, {}}
		if p.Amount > 0 {
			cells[2] = desk.AmountCell(money.New(p.Amount, g.Currency))
		} else {
			cells[3] = desk.AmountCell(money.New(-p.Amount, g.Currency))
		}
		table := &all[len(all)-1].Table
		table.Rows = append(table.Rows, desk.Row{Cells: cells})
	}
	return all
}
