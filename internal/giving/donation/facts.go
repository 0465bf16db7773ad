package donation

import (
	"strings"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/contact"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/phrase"
)

// receiptRequest returns what the donation's receipt says. It names the donor even if the donation is anonymous in
// public: the receipt is the donor's own.
func (b *batch) receiptRequest(e org.LegalEntity, p IncomingPayment, g *gift, funds map[string]fund.Fund) (receipt.Request, error) {
	o, err := b.catalog.OrganisationByID(g.OrganisationID)
	if err != nil {
		return receipt.Request{}, err
	}
	lang := phrase.Language(g.Language)
	day := p.taxDate(e)
	facts := receipt.Facts{
		EntitySlug: e.Slug, NumberPrefix: e.ReceiptPrefix, LegalName: e.LegalName, EIN: e.EIN, Address: Postal(e.Address), MailFrom: e.MailFrom,
		Organisation: o.Name.In(lang), OrgSlug: o.Slug, Accent: o.Accent, Sponsored: o.Sponsored,
		FirstName: g.FirstName, LastName: g.LastName, Email: g.Email, DonorAddress: g.Contact.postal(),
		Amount: g.Amount(), ChargedOn: day.String(), Timezone: e.Timezone, ChargeID: p.ChargeRef, Instalment: p.instalment,
		DonorOrganisation: g.OrganisationName,
	}
	if !p.method().HasProcessor() {
		facts.PaymentID, facts.Method = &p.PaymentID, string(p.method())
	}
	facts.Described, facts.InReturn, facts.Replaces = p.Described, p.InReturn, p.Replaces
	if g.CoveredMinor > 0 {
		facts.Covered = g.Covered()
	}
	if g.dedication != nil {
		facts.Dedicated = &receipt.Dedication{Kind: string(g.dedication.Kind), Name: g.dedication.Name}
	}
	for _, part := range g.parts {
		f := funds[part.FundID.String()]
		facts.Lines = append(facts.Lines, receipt.Line{FundID: f.ID, Fund: f.Name.In(lang), Purpose: f.Purpose.In(lang), Amount: part.Amount})
	}
	return receipt.Request{EntityID: e.ID, DonationID: g.ID, Year: day.Year, Language: g.Language, Facts: facts}, nil
}

// Postal returns an address as lines.
func Postal(a org.Address) []string {
	return lines(a.Line1, a.Line2, cityLine(a.City, a.Region, a.PostalCode), a.Country)
}

func (c Contact) postal() []string { return PostalOf(c.Contact) }

// PostalOf returns the postal address of a contact as lines.
func PostalOf(c contact.Contact) []string {
	return lines(c.AddressLine1, c.AddressLine2, cityLine(c.City, c.Region, c.PostalCode), c.Country)
}

// cityLine returns "Boston, MA 02111", without the parts that are empty.
func cityLine(city, region, code string) string {
	place := strings.Join(lines(city, region), ", ")
	return strings.Join(lines(place, code), " ")
}

// lines returns the lines that are not empty.
func lines(all ...string) []string {
	var filled []string
	for _, l := range all {
		if l != "" {
			filled = append(filled, l)
		}
	}
	return filled
}
