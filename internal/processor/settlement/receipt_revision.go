package settlement

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/notice"
	"konbit/internal/giving/receipt"
	"konbit/internal/processor/share"
)

// revision is a change after which the receipt of a gift must say less, or more again.
type revision struct {
	change
	reason   receipt.Reason
	refunded int64 // of the gift, in minor units: a sum of amounts
}

// reviseReceiptOf records that a change requires a revision. Several changes of one payment make one revision, with the
// last reason and the sum of their refunds.
func (s *bookingRun) reviseReceiptOf(c change, reason receipt.Reason) {
	next := revision{change: c, reason: reason}
	if reason == receipt.Refund {
		next.refunded = c.amount
	}
	s.revisions = slices.DeleteFunc(s.revisions, func(r revision) bool {
		if r.payment.ID == c.payment.ID {
			next.refunded += r.refunded
		}
		return r.payment.ID == c.payment.ID
	})
	s.revisions = append(s.revisions, next)
}

// reviseReceiptAfter records a revision if the change took something of the gift. What a bank took beyond the gift, or
// what was owed to the donor already, changes no receipt.
func (s *bookingRun) reviseReceiptAfter(c change, taken taking, reason receipt.Reason) {
	if c.amount = share.TotalGift(taken.parts); c.amount > 0 {
		s.reviseReceiptOf(c, reason)
	}
}

// reviseReceiptsTx revises the receipts of the run's changed gifts. The donor gets an email. A payment without a
// donation or a receipt has nothing to revise.
//
//	the gift went back in whole          the receipt becomes void
//	a part went back                     it is replaced by one for the rest
//	a lost part came back (reinstated)   it is replaced by one for the larger amount, as a correction
//	all of it came back (reinstated)     a new one replaces the void one
//
// The donor gets an email more about a refund in another year than the gift, for it concerns the taxes of both.
//
// It locks the counters of receipt numbers: call it last.
func (s *bookingRun) reviseReceiptsTx(ctx context.Context, tx *sqlx.Tx) error {
	var voids []receipt.Void
	var replacements []receipt.Replacement
	for _, r := range s.revisions {
		if r.payment.DonationID == nil {
			continue
		}
		latest, err := receipt.Latest(ctx, tx, []uuid.UUID{*r.payment.DonationID})
		if err != nil {
			return err
		}
		current, issued := latest[*r.payment.DonationID]
		if !issued {
			continue
		}
		remaining, paid, err := s.receiptAmountsTx(ctx, tx, r.payment.ID)
		if err != nil {
			return err
		}
		day := ledger.DateOf(r.at, s.entity.Location()).String()
		revised := receipt.Change{Reason: r.reason, On: day, By: r.object}
		if r.refunded > 0 && current.Facts.ChargedOn[:4] != day[:4] {
			if err := s.Settler.Notices.RecordTx(ctx, tx, notice.Notice{
				DonationID: *r.payment.DonationID, Kind: notice.RefundedLater, Cause: r.object,
				AmountMinor: r.refunded, Currency: string(r.payment.Currency), At: r.at,
			}); err != nil {
				return err
			}
		}
		facts := current.Facts.Reduced(remaining, paid, day)
		switch {
		case current.IsValid() && len(facts.Lines) == 0:
			voids = append(voids, receipt.Void{Of: current.ID, Change: revised, Quiet: r.quiet})
		case current.IsValid() && r.reason == receipt.Reinstated:
			revised.Reason = receipt.Corrected
			replacements = append(replacements, receipt.Replacement{Of: current.ID, Change: revised, Facts: facts})
		case current.IsValid(), r.reason == receipt.Reinstated && len(facts.Lines) > 0:
			replacements = append(replacements, receipt.Replacement{Of: current.ID, Change: revised, Facts: facts})
		}
	}
	if len(voids) > 0 {
		if err := s.Receipts.VoidTx(ctx, tx, voids, s.Now()); err != nil {
			return err
		}
	}
	if len(replacements) == 0 {
		return nil
	}
	_, err := s.Receipts.ReplaceTx(ctx, tx, replacements, s.Now())
	return err
}

// receiptAmountsTx returns the amount that a receipt states for each fund, in minor units: the gift, less refunds and
// disputes lost for good. remainingByFundTx differs: it also subtracts disputes that are still open. paid is the whole
// gift.
func (s *bookingRun) receiptAmountsTx(ctx context.Context, tx *sqlx.Tx, payment uuid.UUID) (remaining map[uuid.UUID]int64, paid int64, err error) {
	const query = `/* settlement.receiptAmountsTx */ SELECT fund_id, gift, stated FROM payment_position($1)`
	var rows []struct {
		FundID uuid.UUID `db:"fund_id"`
		Gift   int64     `db:"gift"`
		Stated int64     `db:"stated"`
	}
	err = tx.SelectContext(ctx, &rows, query, payment)
	remaining = make(map[uuid.UUID]int64, len(rows))
	for _, r := range rows {
		remaining[r.FundID], paid = r.Stated, paid+r.Gift
	}
	return remaining, paid, err
}
