package chaos

import "slices"

// giftOf is the key of the gift in a payment's metadata.
const giftOf = "konbit_donation"

// payment returns the entry of a payment:
//
//	a gift                          Dr 1010 / Cr 40xx, by fund
//	unexpected money     Dr 1010 / Cr 1090, in operations
func (o *oracle) payment(f *facts, c charge) lines {
	l := lines{}
	p := o.pledges[c.Metadata[giftOf]]
	if p == nil || p.entity != f.account || p.over || p.amount != c.Amount {
		l.move(f.account, "1010", "1090", operations, c.Amount)
		if c.Metadata[giftOf] == "" {
			o.strays[f.account+" no mark"] = true // one task for all of them
		} else {
			o.strays[f.account+" "+c.PaymentIntent] = true
		}
		o.share(f, c, nil)
		if p != nil && p.entity == f.account {
			p.over = true
		}
		return l
	}
	for _, part := range p.parts {
		l.move(f.account, "1010", by(f.account, part.fund, "4000", "4100"), part.fund, part.gift)
	}
	p.over, p.paidBy = true, c.ID
	o.share(f, c, p.parts)
	return l
}

// by returns the account of a fund's class.
func by(entity, fund, without, with string) string {
	if policies[entity].restricted[fund] {
		return with
	}
	return without
}

// share computes how a charge's fees are divided among its funds; the sponsor's fee is income of operations.
func (o *oracle) share(f *facts, c charge, parts []share) {
	rules, took := policies[f.account], f.transactionOf(c.ID).Fee
	ours := share{fund: operations}
	shares := slices.Clone(parts)
	if len(shares) == 0 {
		o.shares[c.ID] = []share{{fund: operations, fee: took}}
		return
	}
	for i, part := range divide(took, weights(parts)) {
		base := shares[i].gift
		if rules.ofNet {
			base -= part
		}
		shares[i].sponsor = (base*rules.sponsor + 5000) / 10000
		ours.sponsor -= shares[i].sponsor
		if rules.byFund {
			shares[i].fee = part
		} else {
			ours.fee += part
		}
	}
	o.shares[c.ID] = append(slices.Clone(shares), ours)
	slices.SortFunc(shares, byFund)
	o.remaining[c.ID], o.notReturned[c.ID] = shares, sum(shares)
}

// fees returns the entry of the fees: Dr 5100 / Cr 1010, and of the sponsor's fee Dr 3900 / Cr 1010, released if the
// fund is restricted.
func (o *oracle) fees(entity, kind string, m balanceTransaction) lines {
	l := lines{}
	o.absorbShortfall(entity, m.Source)
	for _, s := range o.shares[m.Source] {
		if kind == fee {
			l.cost(entity, "5100", s.fund, s.fee)
		} else {
			l.cost(entity, "3900", s.fund, s.sponsor)
		}
	}
	return l
}

// absorbShortfall books to operations what a restricted fund could not pay of its fees when they were booked, the
// sponsor's fee first.
func (o *oracle) absorbShortfall(entity, charge string) {
	if o.feesChecked[charge] {
		return
	}
	o.feesChecked[charge] = true
	shares := o.shares[charge]
	ours := slices.IndexFunc(shares, func(s share) bool { return s.fund == operations })
	for i, s := range shares {
		if !policies[entity].restricted[s.fund] {
			continue
		}
		if has := max(o.restricted(entity, s.fund), 0); has < s.fee+s.sponsor {
			paid := min(s.fee, has)
			shares[ours].fee += s.fee - paid
			shares[ours].sponsor += s.sponsor - (has - paid)
			shares[i].fee, shares[i].sponsor = paid, has-paid
			o.task(entity, "fund_could_not_bear", charge+" "+s.fund)
		}
	}
}

func (l lines) cost(entity, account, fund string, amount int64) {
	l.move(entity, account, "1010", fund, amount)
	if policies[entity].restricted[fund] {
		l.move(entity, "4900", "4910", fund, amount)
	}
}

func weights(shares []share) []int64 {
	all := make([]int64, len(shares))
	for i, s := range shares {
		all[i] = s.gift
	}
	return all
}

// divide divides an amount by the largest-remainder method; if remainders are equal, the first one wins. It
// is written as simply as possible, because sums are small.
func divide(amount int64, weights []int64) []int64 {
	var all, given int64
	for _, w := range weights {
		all += w
	}
	parts, rests := make([]int64, len(weights)), make([]int64, len(weights))
	for i, w := range weights {
		parts[i], rests[i] = amount*w/all, amount*w%all
		given += parts[i]
	}
	for ; given < amount; given++ {
		most := 0
		for i := range rests {
			if rests[i] > rests[most] {
				most = i
			}
		}
		parts[most]++
		rests[most] = 0
	}
	return parts
}
