package payout

import (
	"github.com/google/uuid"

	"konbit/internal/donation"
	"konbit/internal/fund"
	"konbit/internal/ledger"
	"konbit/internal/money"
	"konbit/internal/org"
)

// Source and kinds of what balance transactions book, as the journal has them.
const (
	sourceTransaction = "stripe balance transaction"
	kindFee           = "processing fee"
	kindSponsorFee    = "sponsor fee"
)

// share is a fund's part of a fee, in minor units.
type share struct {
	fund   fund.Fund
	amount int64
}

// feeEntries books the fee of one charge, and the fiscal sponsor's with it. A charge in suspense has no
// parts; its fee is borne by operations and no sponsor's fee is taken.
func feeEntries(e org.LegalEntity, operations fund.Fund, setup *fund.Snapshot, t Transaction, charge donation.ChargedParts) ([]ledger.Entry, error) {
	gross, weights := make([]share, len(charge.Parts)), make([]int64, len(charge.Parts))
	for i, p := range charge.Parts {
		f, err := setup.Fund(p.FundID)
		if err != nil {
			return nil, err
		}
		gross[i], weights[i] = share{f, p.Amount.Minor}, p.Amount.Minor
	}
	fees, err := shareOut(t.Fee, t.Currency, gross, weights)
	if err != nil {
		return nil, err
	}
	borne := fees
	if e.ProcessingFee.BorneBy == org.BorneByOperations || len(gross) == 0 {
		borne = []share{{operations, t.Fee}}
	}
	var entries []ledger.Entry
	if fee := feeEntry(e, t, charge, borne); len(fee.Postings) > 0 {
		entries = append(entries, fee)
	}
	sponsored, err := sponsorShares(e.SponsorFee, t.Currency, gross, fees)
	if err != nil {
		return nil, err
	}
	if fee := sponsorEntry(e, operations, t, charge, sponsored); len(fee.Postings) > 0 {
		entries = append(entries, fee)
	}
	return entries, nil
}

// shareOut splits an amount over the funds of a gift, like the gift.
func shareOut(minor int64, c money.Currency, like []share, weights []int64) ([]share, error) {
	if len(like) == 0 {
		return nil, nil
	}
	parts, err := money.New(minor, c).Split(weights)
	if err != nil {
		return nil, err
	}
	shares := make([]share, len(like))
	for i := range like {
		shares[i] = share{like[i].fund, parts[i].Minor}
	}
	return shares, nil
}

// sponsorShares reckons the sponsor's fee on each fund's part, of gross or of what Stripe left of it.
func sponsorShares(policy org.SponsorFee, c money.Currency, gross, fees []share) ([]share, error) {
	shares := make([]share, len(gross))
	for i, g := range gross {
		base := money.New(g.amount, c)
		if policy.Of == org.OfNet {
			base.Minor -= fees[i].amount
		}
		fee, err := base.BasisPoints(policy.BasisPoints)
		if err != nil {
			return nil, err
		}
		shares[i] = share{g.fund, fee.Minor}
	}
	return shares, nil
}

// feeEntry is 5100 / 1010 in each bearing fund, with 4900 / 4910 where the fund is restricted: an expense
// is always "without", so spending restricted money releases as much of it.
func feeEntry(e org.LegalEntity, t Transaction, charge donation.ChargedParts, borne []share) ledger.Entry {
	entry := transactionEntry(e, t, charge, kindFee)
	for _, s := range borne {
		if s.amount != 0 {
			entry.Postings = append(entry.Postings, ledger.Move(ledger.ProcessingFees, ledger.StripeClearing, s.fund.ID, s.amount)...)
			entry.Postings = append(entry.Postings, release(s)...)
		}
	}
	return entry
}

// sponsorEntry is 3900 / 1010 in each fund of the gift, released where restricted, and 1010 / 3900 in operations.
func sponsorEntry(e org.LegalEntity, operations fund.Fund, t Transaction, charge donation.ChargedParts, shares []share) ledger.Entry {
	entry := transactionEntry(e, t, charge, kindSponsorFee)
	var total int64
	for _, s := range shares {
		if s.amount != 0 {
			entry.Postings = append(entry.Postings, ledger.Move(ledger.TransfersBetweenFunds, ledger.StripeClearing, s.fund.ID, s.amount)...)
			entry.Postings = append(entry.Postings, release(s)...)
			total += s.amount
		}
	}
	if total != 0 {
		entry.Postings = append(entry.Postings, ledger.Move(ledger.StripeClearing, ledger.TransfersBetweenFunds, operations.ID, total)...)
	}
	return entry
}

func release(s share) []ledger.Posting {
	if !s.fund.Restricted() {
		return nil
	}
	return ledger.Move(ledger.ReleasedWith, ledger.ReleasedWithout, s.fund.ID, s.amount)
}

func transactionEntry(e org.LegalEntity, t Transaction, charge donation.ChargedParts, kind string) ledger.Entry {
	entry := ledger.Entry{
		EntityID: e.ID, Currency: t.Currency, Date: ledger.DateOf(t.CreatedAt, e.Location()),
		Source: sourceTransaction, SourceID: t.ID, Kind: kind,
		Fact: ledger.Fact{
			"charge": charge.ChargeID, "amount": money.New(t.Amount, t.Currency).Decimal(),
			"fee": money.New(t.Fee, t.Currency).Decimal(), "currency": string(t.Currency),
		},
		Dimensions: map[string]string{"charge": charge.ChargeID},
	}
	if charge.DonationID != uuid.Nil {
		entry.Dimensions["donation"] = charge.DonationID.String()
	}
	return entry
}
