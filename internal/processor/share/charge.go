package share

import (
	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/platform/money"
)

// OfCharge sets the fees on each fund's part of a gift that was charged, by the entity's policies:
//
//	processing fee   divided like the gift, or all in operations
//	sponsor's fee    basis points of each fund's gross or net part; operations receives the sum
//	charge in suspense (no parts of a gift): operations pays the processing fee, no sponsor's fee
//
// Operations comes last if it pays or receives something.
func OfCharge(e org.LegalEntity, operations fund.Fund, processingFee money.Amount, gift []Part) ([]Part, error) {
	if len(gift) == 0 {
		return []Part{{Fund: operations, Fee: processingFee.Minor}}, nil
	}
	weights := make([]int64, len(gift))
	for i, p := range gift {
		weights[i] = p.Gift
	}
	fees, err := processingFee.Split(weights)
	if err != nil {
		return nil, err
	}
	operationsPart := Part{Fund: operations}
	for i := range gift {
		p := &gift[i]
		base := money.New(p.Gift, processingFee.Currency)
		if e.SponsorFee.Of == org.OfNet {
			base.Minor -= fees[i].Minor
		}
		if err := p.addSponsorFee(base, e.SponsorFee.BasisPoints, &operationsPart); err != nil {
			return nil, err
		}
		if e.ProcessingFee.PaidBy == org.PaidByOperations {
			operationsPart.Fee += fees[i].Minor
		} else {
			p.Fee = fees[i].Minor
		}
	}
	return withOperations(gift, operationsPart), nil
}

// addSponsorFee takes the sponsor's fee, in basis points of base, from a part and gives it to operations.
func (p *Part) addSponsorFee(base money.Amount, basisPoints int64, operations *Part) error {
	fee, err := base.BasisPoints(basisPoints)
	if err != nil {
		return err
	}
	p.SponsorFee += fee.Minor
	operations.SponsorFee -= fee.Minor
	return nil
}

// withOperations adds the part of operations if it pays or receives something.
func withOperations(parts []Part, operations Part) []Part {
	if operations.Fee == 0 && operations.SponsorFee == 0 {
		return parts
	}
	return append(parts, operations)
}
