package settlement

import (
	"context"
	"slices"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/books/task"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/payment"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/money"
)

// refundTx books a refund of a charge. 48xx is 4800, or 4805 for a restricted fund.
//
//	debit  credit  fund         amount
//	48xx   1010    gift's fund  the refunded part, as far as the fund can pay it
//	4800   1010    operations   what a restricted fund cannot pay (a task says so)
//	1010   5100    gift's fund  the refunded part's share of the processing fee
//	1010   3900    gift's fund  the refunded part's share of the sponsor's fee
//	4910   4900    gift's fund  both fees again, if the fund is restricted
//	5100   1010    operations   the processing fee: Stripe keeps it
//	3900   1010    operations   the sponsor's fee
//
// The balance of the fund is then the same as without that part.
func (s *bookingRun) refundTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	return s.bookReturnTx(ctx, tx, t, receipt.Refund)
}

// bookReturnTx books money of a charge that went back, as refundTx says. A return that does not fit what remains of the
// charge goes to suspense.
func (s *bookingRun) bookReturnTx(ctx context.Context, tx *sqlx.Tx, t Transaction, reason receipt.Reason) error {
	p, err := s.paymentOfTx(ctx, tx, t.ChargeID)
	if err != nil {
		return err
	}
	shares, err := s.remainingByFundTx(ctx, tx, p)
	if err != nil {
		return err
	}
	if p != nil && len(shares) == 0 && reason == receipt.Refund {
		if booked, err := s.refundBeyondPlanTx(ctx, tx, t, *p); err != nil || booked {
			return err
		}
	}
	amount := -t.Net
	if amount <= 0 || amount > totalRemaining(shares) {
		return s.bookUnexpectedTx(ctx, tx, t)
	}
	returned, err := s.returnedPartsTx(ctx, tx, shares, money.New(amount, t.Currency))
	if err != nil {
		return err
	}
	entry := t.entry(s.entity, kindMovement)
	entry.Dimensions["charge"] = t.ChargeID
	entry.Postings = s.returnPostings(returned, ledger.StripeClearing, ledger.StripeClearing)
	if err := s.openShortfallTasksTx(ctx, tx, t.SourceID, t.Currency, returned); err != nil {
		return err
	}
	if err := s.postTx(ctx, tx, t, entry); err != nil {
		return err
	}
	c := change{t.SourceID, changeRefund, *p, amount, t.CreatedAt}
	s.reviseReceiptOf(c, reason)
	return s.insertChangeTx(ctx, tx, c, returned)
}

// returnedPartsTx divides a returned amount over the funds, with each part's share of the fees and what operations
// absorbs. It locks the restricted funds.
func (s *bookingRun) returnedPartsTx(ctx context.Context, tx *sqlx.Tx, shares []fundShare, amount money.Amount) ([]part, error) {
	returned, err := takeProportionally(shares, amount)
	if err != nil {
		return nil, err
	}
	if err := addFeesGivenBack(returned, shares, amount.Currency); err != nil {
		return nil, err
	}
	return returned, s.absorbShortfallsTx(ctx, tx, returned)
}

// returnPostings returns the postings of a refund (see refundTx). The money is credited to paidFrom; the fees are given
// back in feesIn.
func (s *bookingRun) returnPostings(returned []part, paidFrom, feesIn ledger.Account) []ledger.Posting {
	var postings []ledger.Posting
	var fees, sponsorFees int64
	for _, p := range returned {
		postings = append(postings, movePostings(ledger.Refunds(p.fund.Restricted()), paidFrom, p.fund, p.gift-p.absorbed)...)
		postings = append(postings, movePostings(ledger.RefundsWithout, paidFrom, s.operations, p.absorbed)...)
		postings = append(postings, feePostings(feesIn, p.fund, -p.fee)...)
		postings = append(postings, sponsorFeePostings(feesIn, p.fund, -p.sponsorFee)...)
		fees, sponsorFees = fees+p.fee, sponsorFees+p.sponsorFee
	}
	postings = append(postings, feePostings(feesIn, s.operations, fees)...)
	return append(postings, sponsorFeePostings(feesIn, s.operations, sponsorFees)...)
}

// refundFailedTx books a refund that the bank could not deliver: the money is back and owed to the donor. Finance
// repays it another way, as the task says.
//
//	debit  credit  fund
//	1010   2300    the funds that the refund was taken from
func (s *bookingRun) refundFailedTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	parts, happened, err := s.changePartsTx(ctx, tx, t.SourceID, changeRefund)
	if err != nil {
		return err
	}
	p, err := s.paymentOfTx(ctx, tx, t.ChargeID)
	if err != nil {
		return err
	}
	if p == nil || !happened || totalGift(parts) != t.Net {
		return s.bookUnexpectedTx(ctx, tx, t)
	}
	entry := t.entry(s.entity, kindMovement)
	for _, p := range parts {
		entry.Postings = append(entry.Postings, movePostings(ledger.StripeClearing, ledger.RefundsPayable, p.fund, p.gift)...)
	}
	if err := s.postTx(ctx, tx, t, entry); err != nil {
		return err
	}
	if err := s.openTaskTx(ctx, tx, taskRefundFailed, t); err != nil {
		return err
	}
	return s.insertChangeTx(ctx, tx, change{t.SourceID, changeRefundFailed, *p, t.Net, t.CreatedAt}, parts)
}

// refundBeyondPlanTx books the refund of a payment that its plan did not accept, out of the suspense in which the
// payment is (1090 / 1010 in operations), and closes the tasks about the payment. It returns false, and books nothing,
// if the refund is another one, is not of the whole payment, or is not the first.
func (s *bookingRun) refundBeyondPlanTx(ctx context.Context, tx *sqlx.Tx, t Transaction, p payment.Payment) (bool, error) {
	const whole = `/* settlement.refundBeyondPlanTx */
		SELECT EXISTS (SELECT 1 FROM balance_transaction WHERE entity_id = $1 AND source_id = $2 AND type IN ('charge', 'payment') AND amount = $3)
		   AND NOT EXISTS (SELECT 1 FROM payment_change WHERE payment_id = $4)`
	ours, err := s.Settler.Plans.RefundsChargeTx(ctx, tx, s.entity.ID, t.ChargeID)
	if err == nil && ours {
		err = tx.GetContext(ctx, &ours, whole, s.entity.ID, t.ChargeID, -t.Net, p.ID)
	}
	if err != nil || !ours {
		return false, err
	}
	for _, kind := range donation.RejectTaskKinds() {
		if err := s.closeTasksOfChargeTx(ctx, tx, kind, t.ChargeID); err != nil {
			return false, err
		}
	}
	if err := s.bookToOperationsTx(ctx, tx, t, ledger.Suspense); err != nil {
		return false, err
	}
	return true, s.insertChangeTx(ctx, tx, change{t.SourceID, changeRefund, p, -t.Net, t.CreatedAt}, nil)
}

func (s *bookingRun) closeTasksOfChargeTx(ctx context.Context, tx *sqlx.Tx, kind *task.Kind, charge string) error {
	tasks, err := task.List(ctx, tx, task.Filter{EntityID: s.entity.ID, Code: kind.Code})
	if err != nil {
		return err
	}
	for _, open := range tasks {
		if open.Detail["charge"] != charge {
			continue
		}
		if err := task.CloseTx(ctx, tx, s.entity.ID, kind, open.Subject, s.Now()); err != nil {
			return err
		}
	}
	return nil
}

// bookUnexpectedTx books a movement of a charge that is not booked, or of more than remains of it, to suspense with a
// task.
func (s *bookingRun) bookUnexpectedTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	if err := s.openTaskTx(ctx, tx, taskUnexpected, t); err != nil {
		return err
	}
	return s.bookToOperationsTx(ctx, tx, t, ledger.Suspense)
}

// takeProportionally divides an amount over funds in proportion to what remains in each of the payment, by largest
// remainder. Funds that pay nothing are left out.
func takeProportionally(shares []fundShare, amount money.Amount) ([]part, error) {
	weights := make([]int64, len(shares))
	for i, h := range shares {
		weights[i] = h.remaining
	}
	split, err := amount.Split(weights)
	if err != nil {
		return nil, err
	}
	var taken []part
	for i, h := range shares {
		if split[i].Minor != 0 {
			taken = append(taken, part{fund: h.fund, gift: split[i].Minor})
		}
	}
	return taken, nil
}

// addFeesGivenBack sets on each refunded part the share of the fees that operations gives back:
//
//	fee given back = fee × (refunded before + refunded now) / gift − fee given back before
//
// It is cumulative, so that rounding leaves nothing over when everything is refunded, and disputes do not change it.
func addFeesGivenBack(returned []part, shares []fundShare, c money.Currency) error {
	for i := range returned {
		p := &returned[i]
		h := shares[slices.IndexFunc(shares, func(h fundShare) bool { return h.fund.ID == p.fund.ID })]
		fee, err := proportion(h.fee, h.refunded+p.gift, h.gift, c)
		if err != nil {
			return err
		}
		sponsorFee, err := proportion(h.sponsorFee, h.refunded+p.gift, h.gift, c)
		if err != nil {
			return err
		}
		p.fee, p.sponsorFee = fee-h.feeBack, sponsorFee-h.sponsorFeeBack
	}
	return nil
}

// proportion returns amount × of / all, rounded by largest remainder against the rest.
func proportion(amount, of, all int64, c money.Currency) (int64, error) {
	split, err := money.New(amount, c).Split([]int64{of, all - of})
	if err != nil {
		return 0, err
	}
	return split[0].Minor, nil
}

func totalRemaining(shares []fundShare) (sum int64) {
	for _, h := range shares {
		sum += h.remaining
	}
	return sum
}

func totalGift(parts []part) (total int64) {
	for _, p := range parts {
		total += p.gift
	}
	return total
}
