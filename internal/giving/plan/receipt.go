package plan

import (
	"cmp"
	"time"

	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/money"
)

// ReceiptInstalment returns what a receipt says about payment n of the plan, which was received at a time.
func (p Plan) ReceiptInstalment(n int, received time.Time, e org.LegalEntity) *receipt.Instalment {
	in := &receipt.Instalment{Plan: p.ID, PlanRef: p.PublicRef, N: n, Frequency: string(p.Frequency), Each: p.NextCharge()}
	if p.Total != nil {
		in.Of = *p.Total
		remaining, _ := p.Remaining()
		in.Sum = money.New(p.AmountMinor*int64(*p.Total), money.Currency(p.Currency))
		in.LastOn = dateIn(cmp.Or(p.LastAt(), &received), e)
		if remaining == 0 {
			in.LastOn = dateIn(&received, e)
		}
	}
	if p.NextAt != nil {
		in.NextOn = dateIn(p.NextAt, e)
	}
	return in
}

// dateIn returns the date of a time in an entity's time zone, as 2006-01-02.
func dateIn(at *time.Time, e org.LegalEntity) string {
	return ledger.DateOf(*at, e.Location()).String()
}
