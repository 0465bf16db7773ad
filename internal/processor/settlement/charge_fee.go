package settlement

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

// part is a fund's part of a charge: of the gift, of the processing fee, and of the sponsor's fee, in minor
// units. What the fund has of the charge in the clearing account is gift − fee − sponsor.
type part struct {
	fund                  fund.Fund
	gift, fee, sponsorFee int64
	absorbed              int64 // of what is taken of a gift: what operations bears in the fund's place
}

// chargesTx settles the charges of a list, in case no event told of them, and books their fees.
func (s *bookingRun) bookChargesTx(ctx context.Context, tx *sqlx.Tx, list chargeList) error {
	ids := slices.Sorted(maps.Keys(list.byCharge))
	if len(ids) == 0 {
		return nil
	}
	var charges []donation.IncomingPayment
	for _, id := range ids {
		t := list.byCharge[id]
		_, pending := list.pending[id]
		switch {
		case t.Charge != nil && (list.unbooked[id] || pending):
			charges = append(charges, *t.Charge)
		case t.Charge == nil && list.unbooked[id]:
			if err := s.bookPendingTx(ctx, tx, t); err != nil {
				return err
			}
			if t.Currency == s.entity.Currency {
				list.pending[id] = t.Net
			}
		}
	}
	waits, err := s.settleChargesTx(ctx, tx, charges)
	if err != nil {
		return err
	}
	for _, c := range waits {
		if err := s.deferChargeTx(ctx, tx, list, c.ChargeRef, c.Invoice.ID); err != nil {
			return err
		}
	}
	due, err := donation.TakeFeesDueTx(ctx, tx, s.entity.ID, ids)
	if err != nil {
		return err
	}
	has := restrictedBalances{}
	for _, charge := range due {
		t := list.byCharge[charge.ChargeID]
		amount, pending := list.pending[charge.ChargeID]
		if !pending && !list.unbooked[charge.ChargeID] {
			continue // its transaction is booked already, by a rule of last resort
		}
		if pending {
			if err := s.clearPendingTx(ctx, tx, t, amount); err != nil {
				return err
			}
		}
		if err := s.computeFeeTx(ctx, tx, t, charge, has); err != nil {
			return fmt.Errorf("fee of %s: %w", charge.ChargeID, err)
		}
	}
	return s.postFeesTx(ctx, tx)
}

// feeTx reckons the fees of one charge; feesTx writes those of all.
func (s *bookingRun) computeFeeTx(ctx context.Context, tx *sqlx.Tx, t Transaction, charge donation.ChargedParts, has restrictedBalances) error {
	if t.Currency != s.entity.Currency {
		return s.openTaskTx(ctx, tx, taskOtherCurrency, t)
	}
	parts, err := feeParts(s.entity, s.operations, s.catalog, t, charge)
	if err != nil {
		return err
	}
	if parts, err = s.absorbFeesTx(ctx, tx, t, parts, has); err != nil {
		return err
	}
	s.entries = append(s.entries, feeEntries(s.entity, t, charge, parts)...)
	if len(charge.Parts) == 0 {
		if t.Charge != nil && t.Charge.Amount.Currency != t.Currency {
			s.entries = append(s.entries, s.convertedEntry(t))
		}
		if err := insertClearingTx(ctx, tx, s.entity.ID, t.ID, map[uuid.UUID]int64{s.operations.ID: t.Amount}); err != nil {
			return err
		}
	}
	for _, p := range parts {
		s.shares = append(s.shares, chargeShare{charge.ChargeID, p})
	}
	return nil
}

func (s *bookingRun) postFeesTx(ctx context.Context, tx *sqlx.Tx) error {
	if _, err := ledger.PostTx(ctx, tx, s.entries, s.NewID); err != nil {
		return err
	}
	return insertSharesTx(ctx, tx, s.entity.ID, s.shares)
}

// convertedEntry books what Stripe made of a payment in another currency: 1010 / 1090 in operations. When the payment was told of,
// nobody knew yet what would arrive, so nothing was booked but its task.
func (s *bookingRun) convertedEntry(t Transaction) ledger.Entry {
	entry := t.entry(s.entity, kindMovement)
	entry.Dimensions["charge"] = t.SourceID
	entry.Postings = ledger.Move(ledger.StripeClearing, ledger.Suspense, s.operations.ID, t.Amount)
	return entry
}

// settleTx settles charges, and answers those that wait for their bill. One whose gift has no row (a restored database) is no gift of
// ours any more, and goes to suspense with a task like any other money that came unasked.
func (s *bookingRun) settleChargesTx(ctx context.Context, tx *sqlx.Tx, charges []donation.IncomingPayment) (waits []donation.IncomingPayment, err error) {
	if len(charges) == 0 {
		return nil, nil
	}
	outcomes, err := s.Settler.SettleTx(ctx, tx, s.catalog, charges)
	if err != nil {
		return nil, err
	}
	var orphans []donation.IncomingPayment
	for i, o := range outcomes {
		switch c := charges[i]; {
		case o == donation.AwaitsInvoice && c.Invoice.Known:
			return nil, fault.Wrap(fault.Unavailable, "problem.503.text", fmt.Errorf("another worker notes the bill %s that charge %s paid", c.Invoice.ID, c.ChargeRef))
		case o == donation.AwaitsInvoice:
			waits = append(waits, c)
		case o == donation.MissingDonation:
			c.DonationID = uuid.Nil
			orphans = append(orphans, c)
		}
	}
	if len(orphans) > 0 {
		_, err = s.Settler.SettleTx(ctx, tx, s.catalog, orphans)
	}
	return waits, err
}

// feeParts reckons each fund's part of a charge. Operations comes last, where it bears the fee or receives the
// sponsor's. A charge in suspense has no parts of a gift; its fee is borne by operations, and no sponsor's
// fee is taken.
func feeParts(e org.LegalEntity, operations fund.Fund, catalog *fund.Catalog, t Transaction, charge donation.ChargedParts) ([]part, error) {
	parts, weights := make([]part, len(charge.Parts)), make([]int64, len(charge.Parts))
	for i, p := range charge.Parts {
		f, err := catalog.Fund(p.FundID)
		if err != nil {
			return nil, err
		}
		parts[i], weights[i] = part{fund: f, gift: p.Amount.Minor}, p.Amount.Minor
	}
	if len(parts) == 0 {
		return []part{{fund: operations, fee: t.Fee}}, nil
	}
	fees, err := money.New(t.Fee, t.Currency).Split(weights)
	if err != nil {
		return nil, err
	}
	house := part{fund: operations}
	for i := range parts {
		p := &parts[i]
		base := money.New(p.gift, t.Currency)
		if e.SponsorFee.Of == org.OfNet {
			base.Minor -= fees[i].Minor
		}
		sponsor, err := base.BasisPoints(e.SponsorFee.BasisPoints)
		if err != nil {
			return nil, err
		}
		p.sponsorFee = sponsor.Minor
		house.sponsorFee -= sponsor.Minor
		if e.ProcessingFee.BorneBy == org.BorneByOperations {
			house.fee += fees[i].Minor
		} else {
			p.fee = fees[i].Minor
		}
	}
	if house.fee != 0 || house.sponsorFee != 0 {
		parts = append(parts, house)
	}
	return parts, nil
}

// feeEntries books the fee of a charge, and the sponsor's.
func feeEntries(e org.LegalEntity, t Transaction, charge donation.ChargedParts, parts []part) (entries []ledger.Entry) {
	fee, sponsor := t.entry(e, kindFee), t.entry(e, kindSponsorFee)
	for _, p := range parts {
		fee.Postings = append(fee.Postings, feePostings(p.fund, p.fee)...)
		sponsor.Postings = append(sponsor.Postings, sponsorFeePostings(p.fund, p.sponsorFee)...)
	}
	for _, entry := range []ledger.Entry{fee, sponsor} {
		if len(entry.Postings) == 0 {
			continue
		}
		if charge.DonationID != uuid.Nil {
			entry.Dimensions["donation"] = charge.DonationID.String()
		}
		entries = append(entries, entry)
	}
	return entries
}

// feeMove is 5100 / 1010 in the fund that bears a fee, released where it is restricted: an expense is always
// "without", so spending restricted money releases as much of it. A negative amount gives it back.
func feePostings(f fund.Fund, amount int64) []ledger.Posting {
	if amount == 0 {
		return nil
	}
	return append(ledger.Move(ledger.ProcessingFees, ledger.StripeClearing, f.ID, amount), release(f, amount)...)
}

// sponsorMove is 3900 / 1010 in a fund that pays the sponsor's fee; a negative amount is what receives it.
func sponsorFeePostings(f fund.Fund, amount int64) []ledger.Posting {
	if amount == 0 {
		return nil
	}
	return append(ledger.Move(ledger.TransfersBetweenFunds, ledger.StripeClearing, f.ID, amount), release(f, amount)...)
}

func release(f fund.Fund, amount int64) []ledger.Posting {
	if !f.Restricted() {
		return nil
	}
	return ledger.Move(ledger.ReleasedWith, ledger.ReleasedWithout, f.ID, amount)
}
