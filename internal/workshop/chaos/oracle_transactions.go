package chaos

import (
	"slices"
	"strings"
)

func byFund(a, b share) int { return strings.Compare(a.fund, b.fund) }

// transactionEntry computes the entry of a balance transaction that is not a charge.
func (o *oracle) transactionEntry(entity string, m balanceTransaction) lines {
	l, f := lines{}, o.facts[entity]
	switch {
	case m.Type == "refund":
		o.refund(l, entity, f.chargeOf[m.Source], m)
	case m.Type == "refund_failure":
		if back := o.withdrawn[m.Source]; sum(back) == m.Net && len(back) > 0 {
			for _, s := range back {
				l.move(entity, "1010", "2300", s.fund, s.gift)
			}
			o.task(entity, "refund_failed", m.ID)
		} else {
			o.suspense(l, entity, m)
		}
	case m.Type == "adjustment" && m.Category == "dispute":
		o.withdraw(l, entity, f.chargeOf[m.Source], m)
	case m.Type == "adjustment" && m.Category == "dispute_reversal":
		if back := o.withdrawn[m.Source]; sum(back) == m.Amount && len(back) > 0 {
			for _, s := range back {
				l.move(entity, "1010", "1020", s.fund, s.gift)
			}
			o.returnTo(f.chargeOf[m.Source], back)
			delete(o.withdrawn, m.Source)
		} else {
			o.suspense(l, entity, m)
		}
	case m.Type == "payout":
		for fund, amount := range o.paidOut(f.members[m.Source], m.ID) {
			l.move(entity, "1015", "1010", fund, amount)
		}
	case m.Type == "payout_failure":
		for fund, amount := range o.clearing[f.payout(m.Source)] {
			l.move(entity, "1010", "1015", fund, -amount)
		}
		o.task(entity, "payout_failed", m.ID)
	case m.Type == "stripe_fee":
		l.move(entity, "5100", "1010", operations, -m.Net)
	default:
		l.move(entity, "1010", "1090", operations, m.Net)
		o.task(entity, "unknown_balance_transaction", m.ID)
	}
	return l
}

func (o *oracle) task(entity, kind, subject string) { o.tasks[entity+" "+kind+" "+subject] = true }

func (o *oracle) suspense(l lines, entity string, m balanceTransaction) {
	l.move(entity, "1010", "1090", operations, m.Net)
	o.inSuspense[m.ID] = true
	o.task(entity, "movement_does_not_fit", m.ID)
}

// refund withdraws from each fund its proportion of the gift. Operations pays the fees of that part.
func (o *oracle) refund(l lines, entity, charge string, m balanceTransaction) {
	if -m.Net > sum(o.remaining[charge]) {
		o.suspense(l, entity, m)
		return
	}
	taken := o.withdrawFrom(charge, -m.Net)
	o.feesBack(charge, taken)
	short := make([]int64, len(taken))
	for i, s := range taken {
		short[i] = o.shortfall(entity, s.fund, s.gift-s.fee-s.sponsor, s.gift)
	}
	for i, s := range taken {
		l.move(entity, by(entity, s.fund, "4800", "4805"), "1010", s.fund, s.gift-short[i])
		l.move(entity, "4800", "1010", operations, short[i])
		l.cost(entity, "5100", s.fund, -s.fee)
		l.cost(entity, "3900", s.fund, -s.sponsor)
		l.cost(entity, "5100", operations, s.fee)
		l.cost(entity, "3900", operations, s.sponsor)
		if short[i] > 0 {
			o.task(entity, "fund_could_not_bear", m.Source+" "+s.fund)
		}
	}
	o.withdrawn[m.Source] = taken
	o.notReturned[charge] -= -m.Net
}

// shortfall returns what operations pays of an amount instead of a fund.
func (o *oracle) shortfall(entity, fund string, needs, most int64) int64 {
	if !policies[entity].restricted[fund] {
		return 0
	}
	return min(max(needs-o.restricted(entity, fund), 0), most)
}

// restricted returns a fund's net assets with donor restrictions.
func (o *oracle) restricted(entity, fund string) (has int64) {
	for _, account := range []string{"3010", "4100", "4805", "4815", "4900"} {
		has -= o.books[place{entity, fund, account}]
	}
	return has
}

// withdrawFrom withdraws an amount from what the funds still have of a charge.
func (o *oracle) withdrawFrom(charge string, amount int64) (taken []share) {
	left := o.remaining[charge]
	for i, part := range divide(amount, weights(left)) {
		if part != 0 {
			left[i].gift -= part
			taken = append(taken, share{fund: left[i].fund, gift: part})
		}
	}
	return taken
}

// feesBack returns what a refund returns to a fund of its fees. After all its refunds so far, the fund has paid the
// fees of the part that was not refunded, to the nearest minor unit; disputes do not change this.
func (o *oracle) feesBack(charge string, taken []share) {
	for i, s := range taken {
		at := slices.IndexFunc(o.shares[charge], func(whole share) bool { return whole.fund == s.fund })
		whole, so := o.shares[charge][at], charge+" "+s.fund
		before := o.returned[so]
		now := share{gift: before.gift + s.gift}
		now.fee, now.sponsor = nearest(whole.fee, now.gift, whole.gift), nearest(whole.sponsor, now.gift, whole.gift)
		taken[i].fee, taken[i].sponsor = now.fee-before.fee, now.sponsor-before.sponsor
		o.returned[so] = now
	}
}

// nearest returns a × b / c, a half rounded up.
func nearest(a, b, c int64) int64 { return (2*a*b + c) / (2 * c) }

// returnTo returns withdrawn amounts to the funds.
func (o *oracle) returnTo(charge string, back []share) {
	for _, s := range back {
		i := slices.IndexFunc(o.remaining[charge], func(l share) bool { return l.fund == s.fund })
		o.remaining[charge][i].gift += s.gift
	}
}

func (o *oracle) withdraw(l lines, entity, charge string, m balanceTransaction) {
	if -m.Amount > sum(o.remaining[charge]) {
		o.suspense(l, entity, m)
		return
	}
	o.withdrawn[m.Source] = o.withdrawFrom(charge, -m.Amount)
	for _, s := range o.withdrawn[m.Source] {
		l.move(entity, "1020", "1010", s.fund, s.gift)
	}
}

// lose returns the entry Dr 48xx / Cr 1020 by fund. What a restricted fund cannot pay is returned to it and operations
// pays it.
func (o *oracle) lose(entity, dispute string) lines {
	l := lines{}
	for _, s := range o.withdrawn[dispute] {
		short := o.shortfall(entity, s.fund, s.gift, s.gift)
		l.move(entity, by(entity, s.fund, "4810", "4815"), "1020", s.fund, s.gift-short)
		l.move(entity, "1010", "1020", s.fund, short)
		l.move(entity, "4810", "1010", operations, short)
		if short > 0 {
			o.task(entity, "fund_could_not_bear", dispute+" "+s.fund)
		}
	}
	o.notReturned[o.facts[entity].chargeOf[dispute]] -= sum(o.withdrawn[dispute])
	return l
}

// paidOut returns the effect of a payout's balance transactions, without its own, on each fund.
func (o *oracle) paidOut(members []string, own string) map[string]int64 {
	all := map[string]int64{}
	for _, id := range members {
		if id != own {
			for fund, amount := range o.clearing[id] {
				all[fund] += amount
			}
		}
	}
	return all
}

// payout returns the entry of a payout's balance transaction.
func (f *facts) payout(id string) string {
	i := slices.IndexFunc(f.transactions, func(m balanceTransaction) bool { return m.Source == id && m.Type == "payout" })
	if i < 0 {
		return ""
	}
	return f.transactions[i].ID
}
