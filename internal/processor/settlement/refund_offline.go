package settlement

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
	"konbit/internal/processor/share"
)

// sourceRefundOrder is the source of the entries of refunds without a processor. Their source id is the order's id.
const sourceRefundOrder = "refund order"

// ErrRefundTooLarge is the error that less remains of a payment than should be refunded.
var ErrRefundTooLarge = errors.New("settlement: less remains of the payment than should be refunded")

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
	s, err := b.newRun(catalog, r.EntityID)
	if err != nil {
		return false, err
	}
	p, err := payment.ByID(ctx, tx, r.PaymentID)
	if err != nil {
		return false, err
	}
	if p == nil || p.EntityID != r.EntityID || p.Processor != "" || p.Status != payment.Settled || r.Amount.Currency != p.Currency {
		return false, fmt.Errorf("settlement: payment %s cannot be refunded without a processor in %s", r.PaymentID, r.Amount.Currency)
	}
	if err := s.lockFundsOfPaymentsTx(ctx, tx, []uuid.UUID{p.ID}); err != nil {
		return false, err
	}
	if booked, err := s.refundOrderBookedTx(ctx, tx, r); err != nil || booked {
		return false, err
	}
	shares, err := s.remainingByFundTx(ctx, tx, p)
	if err != nil {
		return false, err
	}
	if r.Amount.Minor <= 0 || r.Amount.Minor > share.TotalRemaining(shares) {
		return false, ErrRefundTooLarge
	}
	taken, err := s.returnedTx(ctx, tx, shares, r.Parts, r.Amount)
	if err != nil {
		return false, err
	}
	returned := taken.parts
	if err := s.openShortfallTasksTx(ctx, tx, r.OrderID.String(), r.Amount.Currency, returned); err != nil {
		return false, err
	}
	entry := s.offlineRefundEntry(r, *p, returned)
	if _, err := ledger.PostTx(ctx, tx, []ledger.Entry{entry}, s.NewID); err != nil {
		return false, err
	}
	if feesIn := cmp.Or(r.FeesIn, p.AssetAccount); feesIn == ledger.StripeClearing {
		if err := payout.MovedTx(ctx, tx, r.EntityID, entry.SourceID, share.MovedBack(s.operations, returned)); err != nil {
			return false, err
		}
	}
	c := change{object: r.OrderID.String(), kind: changeRefund, payment: *p, amount: r.Amount.Minor, at: r.At}
	if err := s.insertChangeTx(ctx, tx, c, returned); err != nil {
		return false, err
	}
	s.reviseReceiptOf(c, receipt.Refund)
	return true, s.reviseReceiptsTx(ctx, tx)
}

// refundOrderBookedTx reports whether an order is booked; an error if it is booked with another amount or payment.
func (s *bookingRun) refundOrderBookedTx(ctx context.Context, tx *sqlx.Tx, r OfflineRefund) (bool, error) {
	const query = `/* settlement.refundOrderBookedTx */ SELECT payment_id, amount FROM payment_change WHERE object_id = $1 AND kind = $2 AND entity_id = $3`
	var found []struct {
		PaymentID uuid.UUID `db:"payment_id"`
		Amount    int64     `db:"amount"`
	}
	if err := tx.SelectContext(ctx, &found, query, r.OrderID.String(), changeRefund, r.EntityID); err != nil || len(found) == 0 {
		return false, err
	}
	if found[0].PaymentID != r.PaymentID || found[0].Amount != r.Amount.Minor {
		return false, fmt.Errorf("settlement: refund order %s is booked with another payment or amount", r.OrderID)
	}
	return true, nil
}

// offlineRefundEntry returns the entry of a refund, as RefundOfflineTx says.
func (s *bookingRun) offlineRefundEntry(r OfflineRefund, p payment.Payment, returned []share.Part) ledger.Entry {
	entry := ledger.Entry{
		EntityID: r.EntityID, Currency: r.Amount.Currency, Date: ledger.DateOf(r.At, s.entity.Location()),
		Source: sourceRefundOrder, SourceID: r.OrderID.String(), Kind: kindMovement,
		Fact:       ledger.Fact{"payment": p.ID.String(), "amount": r.Amount.Decimal(), "currency": string(r.Amount.Currency)},
		Dimensions: map[string]string{"payment": p.ID.String()},
		Postings:   ledger.InBank(s.returnPostings(taking{parts: returned}, ledger.RefundsPayable, cmp.Or(r.FeesIn, p.AssetAccount)), r.Bank),
	}
	if p.DonationID != nil {
		entry.Dimensions["donation"] = p.DonationID.String()
	}
	return entry
}
