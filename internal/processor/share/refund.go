package share

import (
	"slices"

	"github.com/google/uuid"

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

// Take divides an amount that goes back to the donor, in this order:
//
//	what is owed to the donor since a refund failed   from the funds that owe it
//	what the funds still have of the gift             from each in proportion
//	the rest                                          beyond: no fund has it
//
// A bank may take back more than is left of a payment, and Stripe may refund what is disputed.
func Take(shares []FundShare, amount money.Amount) (parts []Part, beyond int64, err error) {
	owed := make([]FundShare, len(shares))
	for i, h := range shares {
		owed[i] = FundShare{Fund: h.Fund, Remaining: h.Owed}
	}
	repaid, rest, err := takeUpTo(owed, amount)
	if err != nil {
		return nil, 0, err
	}
	parts, rest, err = takeUpTo(shares, rest)
	if err != nil {
		return nil, 0, err
	}
	for _, p := range repaid {
		parts = add(parts, Part{Fund: p.Fund, Owed: p.Gift})
	}
	return parts, rest.Minor, nil
}

// TakeOrdered divides an amount that staff ordered to refund, each fund's part from that fund alone: first what it owes the
// donor, then what it still has of the gift. What a fund has no longer, since more went back meanwhile, is taken from the
// others as Take does.
func TakeOrdered(shares []FundShare, ordered map[uuid.UUID]int64, c money.Currency) (parts []Part, beyond int64, err error) {
	left, missing := slices.Clone(shares), int64(0)
	for i := range left {
		h := &left[i]
		want := ordered[h.Fund.ID]
		owed := min(want, h.Owed)
		gift := min(want-owed, h.Remaining)
		if owed+gift > 0 {
			parts = append(parts, Part{Fund: h.Fund, Gift: gift, Owed: owed})
		}
		h.Owed, h.Remaining, missing = h.Owed-owed, h.Remaining-gift, missing+want-owed-gift
	}
	if missing == 0 {
		return parts, 0, nil
	}
	more, beyond, err := Take(left, money.New(missing, c))
	for _, p := range more {
		parts = add(parts, p)
	}
	return parts, beyond, err
}

// add adds a part to those of its fund.
func add(parts []Part, p Part) []Part {
	at := slices.IndexFunc(parts, func(of Part) bool { return of.Fund.ID == p.Fund.ID })
	if at < 0 {
		return append(parts, p)
	}
	parts[at].Gift, parts[at].Owed = parts[at].Gift+p.Gift, parts[at].Owed+p.Owed
	return parts
}

// takeUpTo is TakeProportionally of at most what remains; rest is what is not taken.
func takeUpTo(shares []FundShare, amount money.Amount) (parts []Part, rest money.Amount, err error) {
	taken := money.New(min(amount.Minor, TotalRemaining(shares)), amount.Currency)
	rest = money.New(amount.Minor-taken.Minor, amount.Currency)
	if taken.Minor == 0 {
		return nil, rest, nil
	}
	parts, err = TakeProportionally(shares, taken)
	return parts, rest, err
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

// TotalOwed returns what of the parts was owed to the donor already, in minor units.
func TotalOwed(parts []Part) (total int64) {
	for _, p := range parts {
		total += p.Owed
	}
	return total
}
