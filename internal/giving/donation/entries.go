package donation

import (
	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
)

// Sources and kinds of what gifts book, as the journal has them. The key of a gift's entry is the payment
// intent: one payment is booked once, as a gift or in suspense.
const (
	sourceIntent = "stripe payment intent"
	kindPayment  = "payment"
)

// giftEntry books a gift: Dr 1010 Stripe clearing / Cr 40xx contributions, a pair per fund.
func giftEntry(e org.LegalEntity, c IncomingPayment, d Donation, parts []Designation, funds map[string]fund.Fund) ledger.Entry {
	entry := paymentEntry(e, c)
	entry.Dimensions["donation"], entry.Dimensions["donor"] = d.ID.String(), d.DonorID.String()
	for _, p := range parts {
		revenue := ledger.Contributions(funds[p.FundID.String()].Restricted())
		entry.Postings = append(entry.Postings, ledger.Move(ledger.StripeClearing, revenue, p.FundID, p.Amount.Minor)...)
	}
	return entry
}

// suspenseEntry books money that came and does not fit: Dr 1010 / Cr 1090 in the entity's operations fund.
func suspenseEntry(e org.LegalEntity, c IncomingPayment, operations fund.Fund) ledger.Entry {
	entry := paymentEntry(e, c)
	entry.Postings = ledger.Move(ledger.StripeClearing, ledger.Suspense, operations.ID, c.Amount.Minor)
	return entry
}

func paymentEntry(e org.LegalEntity, c IncomingPayment) ledger.Entry {
	return ledger.Entry{
		EntityID: e.ID, Currency: e.Currency, Date: ledger.DateOf(c.ReceivedAt, e.Location()),
		Source: sourceIntent, SourceID: c.key(), Kind: kindPayment,
		Fact:       ledger.Fact{"charge": c.ChargeRef, "amount": c.Amount.Decimal(), "currency": string(c.Amount.Currency)},
		Dimensions: map[string]string{"charge": c.ChargeRef},
	}
}
