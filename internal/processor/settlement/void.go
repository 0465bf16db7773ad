package settlement

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/giving/payment"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/fault"
	"konbit/internal/processor/share"
)

// ErrNotVoided is the error that a gift cannot be undone as if it had never been: it was refunded or disputed, a fund has spent it, or its
// month is closed.
var ErrNotVoided error = fault.New(fault.Conflict, "office.import.problem.spent", nil)

// VoidOfflineTx undoes a gift without a processor that was recorded by mistake: it reverses all its entries, makes the receipt void as issued by
// mistake, and tells the donor. What a bank took back and what was never there is stored alike: a dispute that is withdrawn and lost (kinds of
// payment_change). It returns false, and changes nothing, if the gift is void already. It reports ErrNotVoided. It locks funds, then the
// counter of receipt numbers.
func (b Booker) VoidOfflineTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, entity, paymentID uuid.UUID) (bool, error) {
	s, err := b.newRun(catalog, entity)
	if err != nil {
		return false, err
	}
	p, err := payment.ByID(ctx, tx, paymentID)
	if err != nil {
		return false, err
	}
	if p == nil || p.EntityID != entity || p.Processor != "" || p.Status != payment.Settled || p.DonationID == nil {
		return false, fmt.Errorf("settlement: payment %s is no gift without a processor", paymentID)
	}
	if err := s.lockFundsOfPaymentsTx(ctx, tx, []uuid.UUID{p.ID}); err != nil {
		return false, err
	}
	object := "void " + p.ID.String()
	if _, happened, err := s.earlierTx(ctx, tx, object, changeLost); err != nil || happened {
		return false, err
	}
	shares, err := s.remainingByFundTx(ctx, tx, p)
	if err != nil {
		return false, err
	}
	taken := taking{}
	for _, h := range shares {
		if h.Remaining != h.Gift || h.Refunded != 0 || h.Owed != 0 {
			return false, ErrNotVoided
		}
		taken.parts = append(taken.parts, share.Part{Fund: h.Fund, Gift: h.Gift, SponsorFee: h.SponsorFee})
	}
	on := ledger.DateOf(s.Now(), s.entity.Location())
	if err := s.reversePaymentTx(ctx, tx, *p, on); err != nil {
		return false, err
	}
	for _, part := range taken.parts {
		if left, err := ledger.RestrictedTx(ctx, tx, part.Fund.ID); err != nil {
			return false, err
		} else if part.Fund.Restricted() && left < 0 {
			return false, ErrNotVoided
		}
	}
	withheld := taking{parts: make([]share.Part, len(taken.parts))}
	for i, part := range taken.parts {
		withheld.parts[i] = share.Part{Fund: part.Fund, Gift: part.Gift}
	}
	c := change{object: object, kind: changeWithdrawn, payment: *p, at: s.Now()}
	if err := s.insertTakingTx(ctx, tx, c, withheld); err != nil {
		return false, err
	}
	c.kind = changeLost
	if err := s.insertTakingTx(ctx, tx, c, taken); err != nil {
		return false, err
	}
	s.reviseReceiptAfter(c, taken, receipt.Corrected)
	return true, s.reviseReceiptsTx(ctx, tx)
}

// reversePaymentTx reverses the entries of a payment without a processor.
func (s *bookingRun) reversePaymentTx(ctx context.Context, tx *sqlx.Tx, p payment.Payment, on ledger.Date) error {
	closed, err := ledger.ClosedThrough(ctx, tx, s.entity.ID)
	if err != nil {
		return err
	}
	entries, err := ledger.EntriesOf(ctx, tx, s.entity.ID, sourcePayment, p.ID.String())
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Date.String() <= closed.String() {
			return ErrNotVoided
		}
		_, err := ledger.ReverseTx(ctx, tx, ledger.Reversal{
			Of: e.ID, Date: on, Source: sourcePayment, SourceID: p.ID.String(), Kind: "void " + e.ID.String(), Fact: ledger.Fact{"void": e.ID.String()},
			Dimensions: map[string]string{"payment": p.ID.String(), "donation": p.DonationID.String()},
		}, s.NewID)
		if err != nil {
			return err
		}
	}
	return nil
}
