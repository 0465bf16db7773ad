package gifts

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"konbit/internal/office/giftlist"
	"konbit/internal/platform/money"
	"konbit/internal/processor/dispute"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// nameOf returns what a donor is called; empty after an erasure.
func nameOf(g giftlist.Gift) string {
	return cmp.Or(g.OrganisationName, strings.TrimSpace(g.FirstName+" "+g.LastName), g.Email)
}

// shown returns the amount of a gift that a list shows and adds up: of a fund's list its part for the fund.
func shown(g giftlist.Gift, fund uuid.UUID) money.Amount {
	if fund == uuid.Nil {
		return money.New(g.AmountMinor, g.Currency)
	}
	part := int64(0)
	for i, id := range g.Funds {
		if id == fund {
			part += g.Parts[i]
		}
	}
	return money.New(part, g.Currency)
}

// stateOf returns the state of a gift as a cell with a shape.
func (a *Area) stateOf(v web.StaffVisit, g giftlist.Gift, voided bool) desk.Cell {
	if voided {
		return desk.Cell{Text: a.say(v, "state.void"), State: "plain", File: "voided"}
	}
	code, shape := g.Status, map[string]string{"settled": "good", "processing": "hold", "held": "hold", "failed": "bad", "expired": "bad"}[g.Status]
	soft := ""
	switch {
	case g.Dispute == string(dispute.Inquiry):
		code, shape = "inquiry", "hold"
	case g.Dispute == string(dispute.Open), g.Dispute == string(dispute.Answered):
		code, shape = "disputed", "bad"
	case g.Dispute == string(dispute.Lost):
		code, shape = "dispute_lost", "bad"
	case g.Dispute == string(dispute.Won), g.Dispute == string(dispute.WonAfterLost):
		soft = a.say(v, "state.dispute_won")
	}
	switch {
	case code != g.Status || g.Status != "settled" || g.ReturnedMinor == 0:
	case g.ReturnedMinor >= g.AmountMinor:
		code, shape = "returned", "plain"
	default:
		code, shape = "partly_returned", "plain"
	}
	return desk.Cell{Text: a.say(v, "state."+code), State: shape, Soft: soft, File: code}
}

// fundNames returns the names of the funds of a gift.
func fundNames(v web.StaffVisit, g giftlist.Gift) string {
	var names []string
	for _, id := range g.Funds {
		if f, err := v.Catalog.Fund(id); err == nil { // else it is newer than the catalog
			names = append(names, f.Name.In(v.Language))
		}
	}
	return strings.Join(names, ", ")
}

// sourceOf says where a gift comes from, if it is not the form or a recurring gift: then its frequency says it.
func (a *Area) sourceOf(v web.StaffVisit, g giftlist.Gift) string {
	if g.Source == "office" || g.Source == "import" {
		return a.say(v, "source."+g.Source)
	}
	return ""
}

// table returns the rows of a page, the most important columns first, and their sum.
func (a *Area) table(r *http.Request, v web.StaffVisit, c chosen, gifts []giftlist.Gift) desk.Table {
	column := func(name string) desk.Column { return desk.Column{Name: name, Label: a.say(v, "column."+name)} }
	t := desk.Table{Caption: a.say(v, "title"), Columns: []desk.Column{column("donor"), column("amount"), column("day"), column("funds"),
		column("state"), column("kind")}}
	t.Columns[1].Number, t.Columns[3].Wide = true, true
	sum := int64(0)
	for _, g := range gifts {
		name := nameOf(g)
		donor := desk.Cell{Text: cmp.Or(name, a.say(v, "erased")), Soft: g.Email}
		if name == g.Email {
			donor.Soft = ""
		}
		amount := desk.AmountCell(shown(g, c.Query.FundID))
		sum += amount.Amount.Minor
		if amount.Amount.Minor != g.AmountMinor {
			amount.Soft = a.say(v, "of", "amount", money.New(g.AmountMinor, g.Currency))
		} else if g.ReturnedMinor > 0 {
			key := "went_back"
			if c.Underway[g.ID] {
				key = "goes_back"
			}
			amount.Soft = a.say(v, key, "amount", money.New(g.ReturnedMinor, g.Currency))
		}
		t.Rows = append(t.Rows, desk.Row{URL: giftPath(r.URL, v, g.PublicRef), Cells: []desk.Cell{
			donor, amount, {Day: g.ChargedAt.In(desk.ZoneOf(v))}, {Text: fundNames(v, g)}, a.stateOf(v, g, c.Voided[g.ID]),
			{Text: a.say(v, "every."+g.Frequency), Soft: a.sourceOf(v, g)},
		}})
	}
	if len(t.Rows) > 1 {
		total := desk.AmountCell(money.New(sum, v.Entity.Currency))
		t.Total = []desk.Cell{{Text: a.say(v, "total", "n", len(t.Rows))}, total, {}, {}, {}, {}}
	}
	return t
}

// giftPath returns the address of a gift's page within the list of an address: the page knows the gifts beside it.
func giftPath(list *url.URL, v web.StaffVisit, ref string) string {
	to := *list
	to.Path = "/office/" + v.Entity.Slug + "/gifts/" + ref
	return desk.With(&to)
}

// listPath returns the address of the list to which the address of a gift's page belongs.
func listPath(gift *url.URL, v web.StaffVisit) string {
	to := *gift
	to.Path = "/office/" + v.Entity.Slug + "/gifts"
	return desk.With(&to)
}

// fileColumns are the names of the columns of files, which do not change: programs read them.
var fileColumns = []string{"gift", "charged_at", "tax_date", "status", "source", "frequency", "amount", "listed", "returned", "funds", "donor", "donor_kind",
	"first_name", "last_name", "organisation_name", "email", "dispute"}

// file returns gifts as files have them, with all that is known: listed is the amount that the list adds up.
func (a *Area) file(v web.StaffVisit, c chosen, gifts []giftlist.Gift) (t desk.Table) {
	for i, name := range fileColumns {
		t.Columns = append(t.Columns, desk.Column{Name: name, Number: i >= 6 && i <= 8})
	}
	for _, g := range gifts {
		t.Rows = append(t.Rows, desk.Row{Cells: a.fileCells(v, c, g)})
	}
	return t
}

func (a *Area) fileCells(v web.StaffVisit, c chosen, g giftlist.Gift) []desk.Cell {
	taxDate, funds := "", make([]string, 0, len(g.Funds))
	if g.TaxDate != nil {
		taxDate = g.TaxDate.String()
	}
	for i, id := range g.Funds {
		code := id.String()
		if f, err := v.Catalog.Fund(id); err == nil {
			code = f.Code
		}
		funds = append(funds, code+" "+money.New(g.Parts[i], g.Currency).Decimal())
	}
	return []desk.Cell{
		{Text: g.PublicRef}, {At: g.ChargedAt.In(desk.ZoneOf(v))}, {Text: taxDate}, {Text: g.Status}, {Text: cmp.Or(g.Source, "form")},
		{Text: g.Frequency},
		desk.AmountCell(money.New(g.AmountMinor, g.Currency)), desk.AmountCell(shown(g, c.Query.FundID)),
		desk.AmountCell(money.New(g.ReturnedMinor, g.Currency)),
		{Text: strings.Join(funds, "; ")}, {Text: g.DonorID.String()}, {Text: g.DonorKind},
		{Text: g.FirstName}, {Text: g.LastName}, {Text: g.OrganisationName}, {Text: g.Email}, {Text: g.Dispute},
	}
}
