package share

import (
	"slices"

	"konbit/internal/platform/money"
)

// TakeProportionally divides an amount over funds in proportion to what remains in each of the payment, by largest
// remainder. Funds that pay nothing are left out.
func TakeProportionally(shares []FundShare, amount money.Amount) ([]Part, error) {
	weights := make([]int64, len(shares))
	for i, h := range shares {
		weights[i] = h.Remaining
	}
	split, err := amount.Split(weights)
	if err != nil {
		return nil, err
	}
	var taken []Part
	for i, h := range shares {
		if split[i].Minor != 0 {
			taken = append(taken, Part{Fund: h.Fund, Gift: split[i].Minor})
		}
	}
	return taken, nil
}

// AddFeesGivenBack sets on each refunded part the share of the fees that operations gives back:
//
//	fee given back = fee × (refunded before + refunded now) / gift − fee given back before
//
// It is cumulative, so that rounding leaves nothing over when everything is refunded, and disputes do not change it.
func AddFeesGivenBack(returned []Part, shares []FundShare, c money.Currency) error {
	for i := range returned {
		p := &returned[i]
		h := shares[slices.IndexFunc(shares, func(h FundShare) bool { return h.Fund.ID == p.Fund.ID })]
		fee, err := proportion(h.Fee, h.Refunded+p.Gift, h.Gift, c)
		if err != nil {
			return err
		}
		sponsorFee, err := proportion(h.SponsorFee, h.Refunded+p.Gift, h.Gift, c)
		if err != nil {
			return err
		}
		p.Fee, p.SponsorFee = fee-h.FeeBack, sponsorFee-h.SponsorFeeBack
	}
	return nil
}

// proportion returns amount × of / all, rounded by largest remainder against the rest.
func proportion(amount, of, all int64, c money.Currency) (int64, error) {
	split, err := money.New(amount, c).Split([]int64{of, all - of})
	if err != nil {
		return 0, err
	}
	return split[0].Minor, nil
}

func TotalRemaining(shares []FundShare) (sum int64) {
	for _, h := range shares {
		sum += h.Remaining
	}
	return sum
}

func TotalGift(parts []Part) (total int64) {
	for _, p := range parts {
		total += p.Gift
	}
	return total
}
