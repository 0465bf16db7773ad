package share

import "konbit/internal/books/fund"

// Part is a fund's part of a payment, or of a change of a payment, in minor units. In the payment's asset account the
// fund has Gift − Fee − SponsorFee of the payment.
type Part struct {
	Fund       fund.Fund
	Gift       int64
	Fee        int64 // the fund's part of the processing fee
	SponsorFee int64 // negative in operations, which receives it
	Absorbed   int64 // for a change: the amount that operations pays instead of the fund
	Owed       int64 // for a change: an amount beside Gift, which was owed to the donor already since a refund failed
}

// FundShare is what a fund has of a payment, in minor units.
type FundShare struct {
	Fund                    fund.Fund
	Gift, Fee, SponsorFee   int64 // when the payment was booked
	Remaining               int64 // the gift minus its refunds and minus its disputes that are open or lost
	Refunded                int64 // the part of the gift that was refunded
	FeeBack, SponsorFeeBack int64 // given back with refunds
	Owed                    int64 // owed to the donor: refunds that the bank could not deliver, less what went back since
}
