package plan

import (
	"slices"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
)

// WithOwnTerms returns an offer to which the plan's present terms are added, so that a donor who changes one of them can
// keep the others: the frequency and the funds, also those that new gifts no longer have, and the amount, if it is
// outside the limits of new gifts. parts are the plan's funds.
func (p Plan) WithOwnTerms(o donation.Offer, parts []donation.Designation, catalog *fund.Catalog) (donation.Offer, error) {
	if !o.Organisation.Offers(p.Frequency) {
		o.Organisation.Frequencies = slices.DeleteFunc(org.Frequencies(), func(f org.Frequency) bool {
			return f != p.Frequency && !o.Organisation.Offers(f)
		})
	}
	for _, part := range parts {
		if hasFund(o.Funds, part.FundID) {
			continue
		}
		own, err := catalog.Fund(part.FundID)
		if err != nil {
			return o, err
		}
		o.Funds = append(slices.Clip(o.Funds), own)
	}
	given := p.Given().Minor
	o.Organisation.Minimum, o.Organisation.Maximum = min(o.Organisation.Minimum, given), max(o.Organisation.Maximum, given)
	return o, nil
}

func hasFund(funds []fund.Fund, id uuid.UUID) bool {
	return slices.ContainsFunc(funds, func(f fund.Fund) bool { return f.ID == id })
}
