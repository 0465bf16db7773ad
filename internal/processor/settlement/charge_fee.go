package settlement

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/payment"
	"konbit/internal/platform/fault"
	"konbit/internal/processor/share"
)

// bookChargesTx settles the charges of a list, in case no event did, and books their fees. A charge that cannot be
// settled yet is booked as pending (pending_charge.go) or deferred (deferred.go).
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
	waiting, err := s.settleChargesTx(ctx, tx, charges)
	if err != nil {
		return err
	}
	for _, c := range waiting {
		if err := s.deferChargeTx(ctx, tx, list, c.ChargeRef, c.Invoice.ID); err != nil {
			return err
		}
	}
	due, err := donation.TakeFeesDueTx(ctx, tx, s.entity.ID, ids)
	if err != nil {
		return err
	}
	balances := restrictedBalances{}
	for _, charge := range due {
		t := list.byCharge[charge.ChargeID]
		amount, pending := list.pending[charge.ChargeID]
		if !pending && !list.unbooked[charge.ChargeID] {
			continue // its transaction is in suspense already
		}
		if pending {
			if err := s.clearPendingTx(ctx, tx, t, amount); err != nil {
				return err
			}
		}
		if err := s.computeFeeTx(ctx, tx, t, charge, balances); err != nil {
			return fmt.Errorf("fee of %s: %w", charge.ChargeID, err)
		}
	}
	return s.postFeesTx(ctx, tx)
}

// computeFeeTx adds the entries and shares of one charge to the run; postFeesTx writes those of all charges. It locks
// nothing: the funds are locked.
func (s *bookingRun) computeFeeTx(ctx context.Context, tx *sqlx.Tx, t Transaction, charge donation.ChargedParts, balances restrictedBalances) error {
	if t.Currency != s.entity.Currency {
		return s.openTaskTx(ctx, tx, taskOtherCurrency, t)
	}
	gift, err := giftParts(s.catalog, charge.Parts)
	if err != nil {
		return err
	}
	parts, err := share.OfCharge(s.entity, s.operations, t.amount(t.Fee), gift)
	if err != nil {
		return err
	}
	if parts, err = s.absorbFeesTx(ctx, tx, t, parts, balances); err != nil {
		return err
	}
	fees := feeEntries(s.entity, t, charge, parts)
	if len(charge.Parts) == 0 {
		held := ledger.Suspense
		if ignored, err := payment.IsIgnored(ctx, tx, charge.PaymentID); err != nil {
			return err
		} else if ignored {
			held = ledger.MoneyOfOthers
			for i := range fees { // one, or none without a fee
				fees[i].Postings = ledger.Move(held, ledger.StripeClearing, s.operations.ID, t.Fee)
			}
		}
		if t.Charge != nil && t.Charge.Amount.Currency != t.Currency {
			s.entries = append(s.entries, s.convertedEntry(t, held))
		}
		if err := insertClearingTx(ctx, tx, s.entity.ID, t.ID, map[uuid.UUID]int64{s.operations.ID: t.Amount}); err != nil {
			return err
		}
	}
	s.entries = append(s.entries, fees...)
	for _, p := range parts {
		s.shares = append(s.shares, paymentShare{charge.PaymentID, p})
	}
	return nil
}

func (s *bookingRun) postFeesTx(ctx context.Context, tx *sqlx.Tx) error {
	if _, err := ledger.PostTx(ctx, tx, s.entries, s.NewID); err != nil {
		return err
	}
	return insertSharesTx(ctx, tx, s.entity.ID, s.shares)
}

// convertedEntry returns the entry of a payment in another currency: 1010 / held in operations, with what Stripe
// converted it to. When the payment was settled that amount was not known, so only a task was opened.
func (s *bookingRun) convertedEntry(t Transaction, held ledger.Account) ledger.Entry {
	entry := t.entry(s.entity, kindMovement)
	entry.Dimensions["charge"] = t.SourceID
	entry.Postings = ledger.Move(ledger.StripeClearing, held, s.operations.ID, t.Amount)
	return entry
}

// settleChargesTx settles charges, and returns those that wait for their invoice. A charge whose donation has no row
// (for example in a restored database) goes to suspense with a task, as a payment of no donation.
func (s *bookingRun) settleChargesTx(ctx context.Context, tx *sqlx.Tx, charges []donation.IncomingPayment) (waiting []donation.IncomingPayment, err error) {
	if len(charges) == 0 {
		return nil, nil
	}
	outcomes, err := s.Settler.SettleTx(ctx, tx, s.catalog, charges)
	if err != nil {
		return nil, err
	}
	var withoutDonation []donation.IncomingPayment
	for i, o := range outcomes {
		switch c := charges[i]; {
		case o == donation.AwaitsInvoice && c.Invoice.Known:
			err := fmt.Errorf("another worker records the invoice %s that charge %s paid", c.Invoice.ID, c.ChargeRef)
			return nil, fault.Wrap(fault.Unavailable, "problem.503.text", err)
		case o == donation.AwaitsInvoice:
			waiting = append(waiting, c)
		case o == donation.MissingDonation:
			c.DonationID = uuid.Nil
			withoutDonation = append(withoutDonation, c)
		}
	}
	if len(withoutDonation) > 0 {
		_, err = s.Settler.SettleTx(ctx, tx, s.catalog, withoutDonation)
	}
	return waiting, err
}

// feeEntries returns the entries of a charge's processing fee and of its sponsor's fee; see share.FeePostings
// and share.SponsorFeePostings.
func feeEntries(e org.LegalEntity, t Transaction, charge donation.ChargedParts, parts []share.Part) (entries []ledger.Entry) {
	fee, sponsorFee := t.entry(e, kindFee), t.entry(e, kindSponsorFee)
	for _, p := range parts {
		fee.Postings = append(fee.Postings, share.FeePostings(ledger.StripeClearing, p.Fund, p.Fee)...)
		sponsorFee.Postings = append(sponsorFee.Postings, share.SponsorFeePostings(ledger.StripeClearing, p.Fund, p.SponsorFee)...)
	}
	for _, entry := range []ledger.Entry{fee, sponsorFee} {
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
