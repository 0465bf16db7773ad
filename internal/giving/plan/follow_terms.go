package plan

import (
	"errors"

	"konbit/internal/giving/billing"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/money"
)

// ErrCannotFollow: what the subscription charges cannot be a plan's terms: another currency, nothing at all, or a
// frequency that no plan has.
var ErrCannotFollow = errors.New("plan: the subscription charges what no plan can charge")

// FollowTerms returns the detail of a change that makes the plan charge what its subscription charges; nil if it does.
// parts are the plan's funds: the new amount is divided among them as the old one was.
func (p Plan) FollowTerms(s billing.RemoteSubscription, parts []donation.Designation) (*Detail, error) {
	if s.Currency != p.Currency || s.AmountMinor <= 0 || s.Frequency == "" {
		return nil, ErrCannotFollow
	}
	if s.AmountMinor == p.AmountMinor && s.Frequency == p.Frequency {
		return nil, nil
	}
	parts, err := Divide(money.New(s.AmountMinor, money.Currency(p.Currency)), parts)
	if err != nil {
		return nil, err
	}
	d := &Detail{
		Amount: s.AmountMinor, Frequency: string(s.Frequency), DatesChanged: s.Frequency != p.Frequency,
		Before: p.AmountMinor, FrequencyBefore: string(p.Frequency),
	}
	for _, part := range parts {
		d.Covered += part.Covered.Minor
		d.Parts = append(d.Parts, Part{part.FundID, part.Amount.Minor, part.Covered.Minor})
	}
	return d, nil
}

// Divide divides an amount among the funds of parts as their amounts divide theirs. The share of each part that covers
// the processing fee stays the same. A fund whose share would be nothing is left out. The sum is exact.
func Divide(amount money.Amount, parts []donation.Designation) ([]donation.Designation, error) {
	weights := make([]int64, len(parts))
	for i, part := range parts {
		weights[i] = part.Amount.Minor
	}
	shares, err := amount.Split(weights)
	if err != nil {
		return nil, err
	}
	var divided []donation.Designation
	for i, part := range parts {
		if shares[i].IsZero() {
			continue
		}
		covered, err := shares[i].Split([]int64{part.Covered.Minor, part.Amount.Minor - part.Covered.Minor})
		if err != nil {
			return nil, err
		}
		if covered[1].IsZero() { // a covered fee is less than its part
			covered[0].Minor = 0
		}
		divided = append(divided, donation.Designation{FundID: part.FundID, Amount: shares[i], Covered: covered[0]})
	}
	return divided, nil
}
