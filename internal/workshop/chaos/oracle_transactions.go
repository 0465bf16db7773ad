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
		if back := o.withdrawn[m.Source]; back.total() == m.Net && m.Net > 0 {
			o.failedRefund(l, entity, f.chargeOf[m.Source], back)
			o.task(entity, "refund_failed", m.ID)
		} else {
			o.suspense(l, entity, m)
		}
	case m.Type == "adjustment" && m.Category == "dispute":
		o.withdraw(l, entity, f.chargeOf[m.Source], m)
	case m.Type == "adjustment" && m.Category == "dispute_reversal":
		if back := o.withdrawn[m.Source]; back.total() == m.Amount && m.Amount > 0 {
			o.withhold(l, entity, "1010", "1020", back)
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
	amount := m.Net
	if m.Type == "adjustment" {
		amount = m.Amount // the fee of a dispute is known
	}
	l.move(entity, "1010", "1090", operations, amount)
	o.task(entity, "movement_does_not_fit", m.ID)
}

// takenBack is how money that went back is divided: what was owed to the donor since a refund failed, what the funds
// have of the gift, and the rest, which operations pays.
type takenBack struct {
	owed, gift []share
	beyond     int64
}

func (t takenBack) total() int64 { return sum(t.owed) + sum(t.gift) + t.beyond }

// takeBack divides an amount, and notes what is left.
func (o *oracle) takeBack(entity, charge, transaction string, amount int64) (t takenBack) {
	repaid := min(amount, sum(o.owed[charge]))
	t.owed = withdrawFrom(o.owed[charge], repaid)
	given := min(amount-repaid, sum(o.remaining[charge]))
	t.gift = withdrawFrom(o.remaining[charge], given)
	if t.beyond = amount - repaid - given; t.beyond > 0 {
		o.task(entity, "more_went_back_than_was_left", transaction)
	}
	return t
}

// failedRefund owes the donor what the bank could not deliver, except what operations paid beyond the gift.
func (o *oracle) failedRefund(l lines, entity, charge string, back takenBack) {
	l.move(entity, "1010", "4800", operations, back.beyond)
	for _, s := range append(slices.Clone(back.owed), back.gift...) {
		l.move(entity, "1010", "2300", s.fund, s.gift)
		o.owed[charge] = addShare(o.owed[charge], s)
	}
	slices.SortFunc(o.owed[charge], byFund)
}

// withhold moves what a dispute withholds, or gives back, between two accounts.
func (o *oracle) withhold(l lines, entity, debit, credit string, t takenBack) {
	l.move(entity, debit, credit, operations, t.beyond)
	for _, s := range append(slices.Clone(t.owed), t.gift...) {
		l.move(entity, debit, credit, s.fund, s.gift)
	}
}

// refund withdraws from each fund its proportion of the gift. Operations pays the fees of that part.
func (o *oracle) refund(l lines, entity, charge string, m balanceTransaction) {
	if len(o.remaining[charge]) == 0 {
		o.suspense(l, entity, m)
		return
	}
	back := o.takeBack(entity, charge, m.ID, -m.Net)
	taken := back.gift
	l.move(entity, "4800", "1010", operations, back.beyond)
	for _, s := range back.owed {
		l.move(entity, "2300", "1010", s.fund, s.gift)
	}
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
	o.withdrawn[m.Source] = takenBack{owed: back.owed, gift: taken, beyond: back.beyond}
	o.notReturned[charge] -= sum(taken)
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
func withdrawFrom(left []share, amount int64) (taken []share) {
	if amount == 0 {
		return nil
	}
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
func (o *oracle) returnTo(charge string, back takenBack) {
	for _, s := range back.gift {
		o.remaining[charge] = addShare(o.remaining[charge], s)
	}
	for _, s := range back.owed {
		o.owed[charge] = addShare(o.owed[charge], s)
	}
}

// addShare adds a fund's amount to what the funds have.
func addShare(shares []share, s share) []share {
	if i := slices.IndexFunc(shares, func(has share) bool { return has.fund == s.fund }); i >= 0 {
		shares[i].gift += s.gift
		return shares
	}
	return append(shares, share{fund: s.fund, gift: s.gift})
}

func (o *oracle) withdraw(l lines, entity, charge string, m balanceTransaction) {
	if len(o.remaining[charge]) == 0 {
		o.suspense(l, entity, m)
		return
	}
	o.withdrawn[m.Source] = o.takeBack(entity, charge, m.ID, -m.Amount)
	o.withhold(l, entity, "1020", "1010", o.withdrawn[m.Source])
}

// lose returns the entry Dr 48xx / Cr 1020 by fund. What a restricted fund cannot pay is returned to it and operations
// pays it.
func (o *oracle) lose(entity, dispute string) lines {
	l, back := lines{}, o.withdrawn[dispute]
	l.move(entity, "4810", "1020", operations, back.beyond)
	for _, s := range back.owed {
		l.move(entity, "2300", "1020", s.fund, s.gift)
	}
	for _, s := range back.gift {
		short := o.shortfall(entity, s.fund, s.gift, s.gift)
		l.move(entity, by(entity, s.fund, "4810", "4815"), "1020", s.fund, s.gift-short)
		l.move(entity, "1010", "1020", s.fund, short)
		l.move(entity, "4810", "1010", operations, short)
		if short > 0 {
			o.task(entity, "fund_could_not_bear", dispute+" "+s.fund)
		}
	}
	o.notReturned[o.facts[entity].chargeOf[dispute]] -= sum(back.gift)
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
