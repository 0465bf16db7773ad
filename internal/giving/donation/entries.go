package donation

import (
	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/giving/payment"
)

// Sources and kinds of the entries that payments book, as the journal has them. The key of a payment's entry is the
// payment intent, or the payment's id if it came without a processor: one payment is booked once, to its donation or
// to suspense.
const (
	sourceIntent  = "stripe payment intent"
	sourcePayment = "payment"
	kindPayment   = "payment"
)

// giftEntry books a donation, a pair of postings per fund:
//
//	method     debit                 credit                          and, if the fund is restricted
//	in kind    5300 gifts used       42xx contributions in kind      4900 / 4910: an expense releases its restriction
//	others     the payment's account 40xx contributions
func giftEntry(e org.LegalEntity, p IncomingPayment, d Donation, parts []Designation, funds map[string]fund.Fund) ledger.Entry {
	entry := paymentEntry(e, p)
	entry.Dimensions["donation"], entry.Dimensions["donor"] = d.ID.String(), d.DonorID.String()
	for _, part := range parts {
		restricted := funds[part.FundID.String()].Restricted()
		revenue := ledger.Contributions(restricted)
		if p.method() == payment.InKind {
			revenue = ledger.InKindContributions(restricted)
		}
		entry.Postings = append(entry.Postings, ledger.Move(p.account(), revenue, part.FundID, part.Amount.Minor)...)
		if p.method() == payment.InKind && restricted {
			entry.Postings = append(entry.Postings, ledger.Move(ledger.ReleasedWith, ledger.ReleasedWithout, part.FundID, part.Amount.Minor)...)
		}
	}
	ledger.InBank(entry.Postings, p.Bank)
	return entry
}

// suspenseEntry books a payment that fits no donation: its account / 1090 suspense, in the entity's operations fund.
func suspenseEntry(e org.LegalEntity, p IncomingPayment, operations fund.Fund) ledger.Entry {
	entry := paymentEntry(e, p)
	entry.Postings = ledger.InBank(ledger.Move(p.account(), ledger.Suspense, operations.ID, p.Amount.Minor), p.Bank)
	return entry
}

// paymentEntry returns a payment's entry without postings. The fact of a card payment is hashed with the same keys as
// ever: a payment that was booked before must get the same hash.
func paymentEntry(e org.LegalEntity, p IncomingPayment) ledger.Entry {
	entry := ledger.Entry{
		EntityID: e.ID, Currency: e.Currency, Date: ledger.DateOf(p.ReceivedAt, e.Location()), SourceID: p.key(), Kind: kindPayment,
		Fact: ledger.Fact{"amount": p.Amount.Decimal(), "currency": string(p.Amount.Currency)},
	}
	if p.method().HasProcessor() {
		entry.Source, entry.Fact["charge"], entry.Dimensions = sourceIntent, p.ChargeRef, map[string]string{"charge": p.ChargeRef}
	} else {
		entry.Source, entry.Fact["method"] = sourcePayment, string(p.method())
		entry.Dimensions = map[string]string{"payment": p.PaymentID.String(), "method": string(p.method())}
	}
	return entry
}
