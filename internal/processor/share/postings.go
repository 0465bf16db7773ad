package share

import (
	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
)

// MovePostings is ledger.Move; nil for an amount of zero.
func MovePostings(debit, credit ledger.Account, f fund.Fund, amount int64) []ledger.Posting {
	if amount == 0 {
		return nil
	}
	return ledger.Move(debit, credit, f.ID, amount)
}

// FeePostings returns the postings of a processing fee that a fund pays from an asset account. A negative amount gives
// the fee back.
//
//	debit  credit  fund
//	5100   asset   the fund
//	4900   4910    the fund, if restricted (release)
func FeePostings(asset ledger.Account, f fund.Fund, amount int64) []ledger.Posting {
	return append(MovePostings(ledger.ProcessingFees, asset, f, amount), release(f, amount)...)
}

// SponsorFeePostings returns the postings of a sponsor's fee that a fund pays from an asset account. A negative amount
// gives it back, or is what operations receives.
//
//	debit  credit  fund
//	3900   asset   the fund
//	4900   4910    the fund, if restricted (release)
func SponsorFeePostings(asset ledger.Account, f fund.Fund, amount int64) []ledger.Posting {
	return append(MovePostings(ledger.TransfersBetweenFunds, asset, f, amount), release(f, amount)...)
}

// release returns the postings that release net assets from restriction: an expense is always without restrictions, so
// spending restricted money releases as much. Nil for a fund without restrictions.
func release(f fund.Fund, amount int64) []ledger.Posting {
	if !f.Restricted() {
		return nil
	}
	return MovePostings(ledger.ReleasedWith, ledger.ReleasedWithout, f, amount)
}
