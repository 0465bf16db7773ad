package offlinepay

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
	"konbit/internal/processor/settlement"
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
	run, err := b.Begin(catalog, entity)
	if err != nil {
		return false, err
	}
	p, err := payment.ByID(ctx, tx, paymentID)
	if err != nil {
		return false, err
	}
	if p == nil || p.EntityID != entity || p.Processor != "" || p.Status != payment.Settled || p.DonationID == nil {
		return false, fmt.Errorf("offlinepay: payment %s is no gift without a processor", paymentID)
	}
	if err := run.LockFundsTx(ctx, tx, p.ID); err != nil {
		return false, err
	}
	c := settlement.Change{Object: "void " + p.ID.String(), Kind: settlement.ChangeLost, Payment: *p, At: b.Now()}
	if of, _, err := run.StoredTx(ctx, tx, c.Object, c.Kind); err != nil || of != uuid.Nil {
		return false, err
	}
	shares, err := share.Positions(ctx, tx, catalog, p.ID)
	if err != nil {
		return false, err
	}
	var taken settlement.Taking
	for _, h := range shares {
		if h.Remaining != h.Gift || h.Refunded != 0 || h.Owed != 0 {
			return false, ErrNotVoided
		}
		taken.Parts = append(taken.Parts, share.Part{Fund: h.Fund, Gift: h.Gift, SponsorFee: h.SponsorFee})
	}
	if err := b.reverseTx(ctx, tx, *p, ledger.DateOf(b.Now(), run.Entity().Location())); err != nil {
		return false, err
	}
	for _, part := range taken.Parts {
		if left, err := ledger.RestrictedTx(ctx, tx, part.Fund.ID); err != nil {
			return false, err
		} else if part.Fund.Restricted() && left < 0 {
			return false, ErrNotVoided
		}
	}
	c.Kind = settlement.ChangeWithdrawn
	if err := run.StoreTx(ctx, tx, c, withheld(taken)); err != nil {
		return false, err
	}
	c.Kind = settlement.ChangeLost
	if err := run.StoreTx(ctx, tx, c, taken); err != nil {
		return false, err
	}
	return true, run.ReviseTx(ctx, tx, c, taken, receipt.Corrected)
}

// reverseTx reverses the entries of a payment without a processor.
func (b Booker) reverseTx(ctx context.Context, tx *sqlx.Tx, p payment.Payment, on ledger.Date) error {
	closed, err := ledger.ClosedThrough(ctx, tx, p.EntityID)
	if err != nil {
		return err
	}
	entries, err := ledger.EntriesOf(ctx, tx, p.EntityID, "payment", p.ID.String())
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Date.String() <= closed.String() {
			return ErrNotVoided
		}
		_, err := ledger.ReverseTx(ctx, tx, ledger.Reversal{
			Of: e.ID, Date: on, Source: "payment", SourceID: p.ID.String(), Kind: "void " + e.ID.String(), Fact: ledger.Fact{"void": e.ID.String()},
			Dimensions: map[string]string{"payment": p.ID.String(), "donation": p.DonationID.String()},
		}, b.NewID)
		if err != nil {
			return err
		}
	}
	return nil
}
