package offlinepay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/giving/payment"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/money"
	"konbit/internal/processor/payout"
	"konbit/internal/processor/settlement"
	"konbit/internal/processor/share"
)

// sourceRefundOrder is the source of the entries of refunds without a processor. Their source id is the order's id.
const sourceRefundOrder = "refund order"

// ErrRefundTooLarge is the error that less remains of a payment than should be refunded.
var ErrRefundTooLarge = errors.New("offlinepay: less remains of the payment than should be refunded")

// OfflineRefund orders the refund of a payment that came without a processor, or of a part of it.
type OfflineRefund struct {
	EntityID  uuid.UUID
	OrderID   uuid.UUID // books the refund once
	PaymentID uuid.UUID
	Amount    money.Amount
	Parts     map[uuid.UUID]int64 // what was ordered from each fund; nil: in proportion to what is left
	FeesIn    ledger.Account      // where the payment's money is now, 1050 or 1100; empty: the account that the payment was debited to
	Bank      string              // slug of the bank account, if it is in 1100
	At        time.Time           // its day in the entity's time zone dates the entry
}

// RefundOfflineTx books a refund of a payment without a processor: from now on the money is owed to the donor (2300).
// Another entry (2300 / 1100) follows when it leaves the bank. A is FeesIn; 48xx is 4800, or 4805 for a restricted
// fund.
//
//	debit  credit  fund         amount
//	48xx   2300    gift's fund  the refunded part, as far as the fund can pay it
//	4800   2300    operations   what a restricted fund cannot pay (a task says so)
//	A      3900    gift's fund  the refunded part's share of the sponsor's fee
//	4910   4900    gift's fund  the same, if the fund is restricted
//	3900   A       operations   the same
//
// The receipt is replaced or becomes void, as with a card refund. It returns false, and changes nothing, if the order
// is booked already, and an error if the order is booked with another amount or payment, if the payment is not settled
// or has a processor, or if less remains of it (ErrRefundTooLarge). It locks funds, then the counter of receipt
// numbers.
func (b Booker) RefundOfflineTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, r OfflineRefund) (bool, error) {
	run, err := b.Begin(catalog, r.EntityID)
	if err != nil {
		return false, err
	}
	p, err := payment.ByID(ctx, tx, r.PaymentID)
	if err != nil {
		return false, err
	}
	if p == nil || p.EntityID != r.EntityID || p.Processor != "" || p.Status != payment.Settled || r.Amount.Currency != p.Currency {
		return false, fmt.Errorf("offlinepay: payment %s cannot be refunded without a processor in %s", r.PaymentID, r.Amount.Currency)
	}
	if err := run.LockFundsTx(ctx, tx, p.ID); err != nil {
		return false, err
	}
	switch of, amount, err := run.StoredTx(ctx, tx, r.OrderID.String(), settlement.ChangeRefund); {
	case err != nil:
		return false, err
	case of != uuid.Nil && (of != r.PaymentID || amount != r.Amount.Minor):
		return false, fmt.Errorf("offlinepay: refund order %s is booked with another payment or amount", r.OrderID)
	case of != uuid.Nil:
		return false, nil
	}
	shares, err := share.Positions(ctx, tx, catalog, p.ID)
	if err != nil {
		return false, err
	}
	if r.Amount.Minor <= 0 || r.Amount.Minor > share.TotalRemaining(shares) {
		return false, ErrRefundTooLarge
	}
	taken, err := run.TakeTx(ctx, tx, shares, r.Parts, r.Amount)
	if err != nil {
		return false, err
	}
	if err := run.OpenTasksTx(ctx, tx, r.OrderID.String(), r.Amount, taken, donationOf(*p)); err != nil {
		return false, err
	}
	entry := entryOf(run, r, *p, taken)
	if _, err := ledger.PostTx(ctx, tx, []ledger.Entry{entry}, b.NewID); err != nil {
		return false, err
	}
	if feesIn := cmp.Or(r.FeesIn, p.AssetAccount); feesIn == ledger.StripeClearing {
		if err := payout.MovedTx(ctx, tx, r.EntityID, entry.SourceID, share.MovedBack(run.Operations(), taken.Parts)); err != nil {
			return false, err
		}
	}
	c := settlement.Change{Object: r.OrderID.String(), Kind: settlement.ChangeRefund, Payment: *p, At: r.At}
	if err := run.StoreTx(ctx, tx, c, taken); err != nil {
		return false, err
	}
	return true, run.ReviseTx(ctx, tx, c, taken, receipt.Refund)
}

// entryOf returns the entry of a refund, as RefundOfflineTx says.
func entryOf(run settlement.Run, r OfflineRefund, p payment.Payment, taken settlement.Taking) ledger.Entry {
	entry := ledger.Entry{
		EntityID: r.EntityID, Currency: r.Amount.Currency, Date: ledger.DateOf(r.At, run.Entity().Location()),
		Source: sourceRefundOrder, SourceID: r.OrderID.String(), Kind: "movement",
		Fact:       ledger.Fact{"payment": p.ID.String(), "amount": r.Amount.Decimal(), "currency": string(r.Amount.Currency)},
		Dimensions: map[string]string{"payment": p.ID.String()},
		Postings:   ledger.InBank(run.Postings(taken, ledger.RefundsPayable, cmp.Or(r.FeesIn, p.AssetAccount)), r.Bank),
	}
	if p.DonationID != nil {
		entry.Dimensions["donation"] = p.DonationID.String()
	}
	return entry
}

func donationOf(p payment.Payment) uuid.UUID {
	if p.DonationID == nil {
		return uuid.Nil
	}
	return *p.DonationID
}
