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

// Why a gift cannot be undone as if it had never been.
var (
	ErrNotVoided   error = fault.New(fault.Conflict, "office.void.problem.spent", nil)        // a fund has spent it
	ErrWentBack    error = fault.New(fault.Conflict, "office.void.problem.went_back", nil)    // it was refunded, or its check came back
	ErrMonthClosed error = fault.New(fault.Conflict, "office.void.problem.month_closed", nil) // an entry of it is in a closed month
)

// VoidOfflineTx undoes a gift without a processor that was recorded by mistake: it reverses all its entries, makes the receipt void as issued by
// mistake, and tells the donor. What a bank took back and what was never there is stored alike: a dispute that is withdrawn and lost (kinds of
// payment_change). It returns false, and changes nothing, if the gift is void already. It reports ErrNotVoided, ErrWentBack and ErrMonthClosed.
// It locks funds, then the counter of receipt numbers.
func (b Booker) VoidOfflineTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, entity, paymentID uuid.UUID) (bool, error) {
	return b.voidTx(ctx, tx, catalog, entity, paymentID, false)
}

// VoidReplacedTx is VoidOfflineTx of a gift that another one corrects. The donor gets no email: the receipt of the other one says that it
// replaces this one's.
func (b Booker) VoidReplacedTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, entity, paymentID uuid.UUID) (bool, error) {
	return b.voidTx(ctx, tx, catalog, entity, paymentID, true)
}

func (b Booker) voidTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, entity, paymentID uuid.UUID, replaced bool) (bool, error) {
	run, err := b.Begin(catalog, entity)
	if err != nil {
		return false, err
	}
	p, err := giftOf(ctx, tx, entity, paymentID)
	if err != nil {
		return false, err
	}
	if err := run.LockFundsTx(ctx, tx, p.ID); err != nil {
		return false, err
	}
	c := settlement.Change{Object: "void " + p.ID.String(), Kind: settlement.ChangeLost, Payment: *p, At: b.Now(), Quiet: replaced}
	if of, _, err := run.StoredTx(ctx, tx, c.Object, c.Kind); err != nil || of != uuid.Nil {
		return false, err
	}
	shares, err := share.Positions(ctx, tx, catalog, p.ID)
	if err != nil {
		return false, err
	}
	if err := whole(shares); err != nil {
		return false, err
	}
	var taken settlement.Taking
	for _, h := range shares {
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

// giftOf returns the settled payment of a gift without a processor.
func giftOf(ctx context.Context, tx *sqlx.Tx, entity, id uuid.UUID) (*payment.Payment, error) {
	p, err := payment.ByID(ctx, tx, id)
	if err == nil && (p == nil || p.EntityID != entity || p.Processor != "" || p.Status != payment.Settled || p.DonationID == nil) {
		err = fmt.Errorf("offlinepay: payment %s is no gift without a processor", id)
	}
	return p, err
}

// whole reports ErrWentBack unless each fund has all of its part.
func whole(shares []share.FundShare) error {
	for _, h := range shares {
		if h.Remaining != h.Gift || h.Refunded != 0 || h.Owed != 0 {
			return ErrWentBack
		}
	}
	return nil
}

// Voidable is what voiding a gift does to a fund, in minor units.
type Voidable struct {
	Fund       fund.Fund
	Gift       int64
	SponsorFee int64 // that operations gives back
}

// Voidable returns what VoidOfflineTx would do now to each fund of a gift that is not void, or its error. It writes and locks nothing.
func (b Booker) Voidable(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, entity, paymentID uuid.UUID) (all []Voidable, err error) {
	p, err := giftOf(ctx, tx, entity, paymentID)
	if err != nil {
		return nil, err
	}
	shares, err := share.Positions(ctx, tx, catalog, p.ID)
	if err != nil {
		return nil, err
	}
	for _, h := range shares {
		if h.Gift != 0 {
			all = append(all, Voidable{h.Fund, h.Gift, h.SponsorFee})
		}
	}
	if err := whole(shares); err != nil {
		return all, err
	}
	closed, err := ledger.ClosedThrough(ctx, tx, entity)
	if err != nil {
		return nil, err
	}
	entries, err := ledger.EntriesOf(ctx, tx, entity, "payment", p.ID.String())
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Date.String() <= closed.String() {
			return all, ErrMonthClosed
		}
	}
	if p.Method == payment.InKind {
		return all, nil // it was released when it was booked
	}
	for _, v := range all {
		if !v.Fund.Restricted() {
			continue
		}
		if left, err := ledger.RestrictedTx(ctx, tx, v.Fund.ID); err != nil {
			return nil, err
		} else if left < v.Gift-v.SponsorFee {
			return all, ErrNotVoided
		}
	}
	return all, nil
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
			return ErrMonthClosed
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
