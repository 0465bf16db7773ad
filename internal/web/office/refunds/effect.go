package refunds

import (
	"context"
	"net/url"
	"strings"

	"konbit/internal/giving/contact"
	"konbit/internal/giving/payment"
	"konbit/internal/office/refund"
	"konbit/internal/platform/money"
	"konbit/internal/processor/refundcall"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// effect returns what a refund does, as the first and the second person see it before. card is the card that paid.
func (a *Area) effect(v web.StaffVisit, p refund.Preview, card refundcall.Card) desk.Shown {
	say := func(key string, args ...any) string { return a.phrase(v, key, args...) }
	amount := func(minor int64) money.Amount { return money.New(minor, p.Amount.Currency) }
	var fees, sponsorFees, absorbed int64
	for _, f := range p.Parts {
		fees, sponsorFees, absorbed = fees+f.Fee, sponsorFees+f.SponsorFee, absorbed+f.Absorbed
	}
	var s desk.Shown
	add := func(label, text string) {
		s.Pairs = append(s.Pairs, desk.Pair{Label: say("office.refund.label." + label), Cell: desk.Cell{Text: text}})
	}
	add("to", a.cardName(v, p, card))
	if fees > 0 {
		add("fees", say("office.refund.fees", "fees", amount(fees)))
	}
	if sponsorFees > 0 {
		add("sponsor", say("office.refund.sponsor", "fee", amount(sponsorFees)))
	}
	if absorbed > 0 {
		add("absorbed", say("office.refund.absorbed", "amount", amount(absorbed)))
	}
	switch {
	case p.Receipt.Number == "":
		add("receipt", say("office.refund.receipt.none"))
	case p.Receipt.Left == 0:
		add("receipt", say("office.refund.receipt.void", "number", p.Receipt.Number))
	default:
		add("receipt", say("office.refund.receipt.replaced", "number", p.Receipt.Number, "left", amount(p.Receipt.Left)))
	}
	add("emails", a.emailsOf(v, p))
	year := say("office.refund.year.same", "year", p.Year)
	if p.InAnotherYear() {
		year = say("office.refund.year.other", "gift", p.GiftYear, "year", p.Year)
	}
	add("year", year)
	add("reason", say("office.refund.reason."+string(p.Request.Reason)))
	if p.Request.Note != "" {
		add("note", p.Request.Note)
	}
	s.Table = a.fundTable(v, p)
	s.Button = a.buttonOf(v, p)
	return s
}

// buttonOf returns what the button of a refund says.
func (a *Area) buttonOf(v web.StaffVisit, p refund.Preview) string {
	switch {
	case p.Method == payment.BankDebit:
		return a.phrase(v, "office.refund.button.account", "amount", p.Amount)
	case !p.Method.HasProcessor():
		return a.phrase(v, "office.refund.button.bank", "amount", p.Amount)
	}
	return a.phrase(v, "office.refund.button.card", "amount", p.Amount)
}

// cardName returns where the money goes: the card's brand and last digits, if they are known.
func (a *Area) cardName(v web.StaffVisit, p refund.Preview, card refundcall.Card) string {
	switch {
	case p.Method == payment.BankDebit:
		return a.phrase(v, "office.refund.to.account")
	case !p.Method.HasProcessor():
		return a.phrase(v, "office.refund.to.bank")
	case card.Last4 == "":
		return a.phrase(v, "office.refund.to.card")
	}
	return a.View.CardName(v.Language, card.Brand, card.Last4)
}

func (a *Area) emailsOf(v web.StaffVisit, p refund.Preview) string {
	kinds := p.Emails()
	if !p.HasEmail || len(kinds) == 0 {
		if !p.HasEmail {
			return a.phrase(v, "office.refund.email.no_address")
		}
		return a.phrase(v, "office.refund.email.none")
	}
	texts := make([]string, len(kinds))
	for i, kind := range kinds {
		texts[i] = a.phrase(v, "office.refund.email."+kind)
	}
	return strings.Join(texts, " ")
}

// fundTable returns what a refund does to each fund of the gift.
func (a *Area) fundTable(v web.StaffVisit, p refund.Preview) *desk.Table {
	column := func(name string, number bool) desk.Column {
		return desk.Column{Name: name, Label: a.phrase(v, "office.refund.column."+name), Number: number}
	}
	t := &desk.Table{Caption: a.phrase(v, "office.refund.by_fund"), Columns: []desk.Column{
		column("fund", false), column("given", true), column("refunded", true), column("fee", true), column("sponsor_fee", true), column("operations", true),
	}}
	cell := func(minor int64) desk.Cell { return desk.AmountCell(money.New(minor, p.Amount.Currency)) }
	var sum refund.PartEffect
	for _, f := range p.Parts {
		t.Rows = append(t.Rows, desk.Row{Cells: []desk.Cell{
			{Text: f.Fund.Name.In(v.Language)}, cell(f.Given), cell(f.Refunded), cell(f.Fee), cell(f.SponsorFee), cell(operationsPays(f)),
		}})
		sum.Given, sum.Refunded, sum.Fee, sum.SponsorFee, sum.Absorbed =
			sum.Given+f.Given, sum.Refunded+f.Refunded, sum.Fee+f.Fee, sum.SponsorFee+f.SponsorFee, sum.Absorbed+f.Absorbed
	}
	if len(p.Parts) > 1 {
		t.Total = []desk.Cell{{Text: a.phrase(v, "office.refund.column.total")}, cell(sum.Given), cell(sum.Refunded), cell(sum.Fee),
			cell(sum.SponsorFee), cell(operationsPays(sum))}
	}
	return t
}

// operationsPays returns what operations pays of a part: the fees on it, and what the fund has spent. The fund pays the rest.
func operationsPays(f refund.PartEffect) int64 { return f.Fee + f.SponsorFee + f.Absorbed }

// cardOf asks Stripe which card paid a charge. The zero card means that there is no answer, or that it was no card.
func (a *Area) cardOf(ctx context.Context, v web.StaffVisit, p refund.Preview) refundcall.Card {
	if p.Method != payment.Card {
		return refundcall.Card{}
	}
	ctx, cancel := context.WithTimeout(ctx, stripeTimeout)
	defer cancel()
	card, err := a.Refunds.Processor.CardOf(ctx, v.Entity.Slug, p.Charge)
	if err != nil {
		a.Log.WarnContext(ctx, "the card of a charge is not known", "error", err)
	}
	return card
}

// Addresses. Each ends so that another value can follow.

func refundURL(v web.StaffVisit, ref string) string {
	return open(v.Path("gifts/" + url.PathEscape(ref) + "/refund"))
}

func approvalURL(v web.StaffVisit, id interface{ String() string }) string {
	return open(v.Path("approvals/" + id.String()))
}

func open(path string) string {
	if strings.Contains(path, "?") {
		return path + "&"
	}
	return path + "?"
}

// closed returns an address of open without a further value.
func closed(path string) string { return strings.TrimRight(path, "?&") }

// nameOf returns a donor's name.
func nameOf(c contact.Contact) string {
	return strings.TrimSpace(c.FirstName + " " + c.LastName)
}
