package settlement

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/books/task"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/notice"
	"konbit/internal/giving/payment"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/money"
	"konbit/internal/processor/refundcall"
	"konbit/internal/processor/share"
)

// refundTx books a refund of a charge. 48xx is 4800, or 4805 for a restricted fund.
//
//	debit  credit  fund         amount
//	2300   1010    gift's fund  what is owed to the donor, since the bank could not deliver an earlier refund
//	48xx   1010    gift's fund  the refunded part, as far as the fund can pay it
//	4800   1010    operations   what a restricted fund cannot pay (a task says so)
//	4800   1010    operations   what is more than is left of the gift (another task says so)
//	1010   5100    gift's fund  the refunded part's share of the processing fee
//	1010   3900    gift's fund  the refunded part's share of the sponsor's fee
//	4910   4900    gift's fund  both fees again, if the fund is restricted
//	5100   1010    operations   the processing fee: Stripe keeps it
//	3900   1010    operations   the sponsor's fee
//	5100   1010    operations   what Stripe takes for the refund itself
//
// The balance of the fund is then the same as without that part.
func (s *bookingRun) refundTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	return s.bookReturnTx(ctx, tx, t, receipt.Refund)
}

// bookReturnTx books money of a charge that went back, as refundTx says. A return of a charge that is in suspense goes to
// suspense.
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
	_, again, err := s.earlierTx(ctx, tx, t.SourceID, ChangeRefund)
	if err != nil {
		return err
	}
	if again || t.Amount >= 0 || len(shares) == 0 {
		if err := s.noticeReturnedTx(ctx, tx, t); err != nil {
			return err
		}
		return s.bookUnexpectedTx(ctx, tx, t)
	}
	ordered, err := s.orderedPartsTx(ctx, tx, t)
	if err != nil {
		return err
	}
	returned, err := s.returnedTx(ctx, tx, shares, ordered, t.amount(-t.Amount))
	if err != nil {
		return err
	}
	entry := t.entry(s.entity, kindMovement)
	entry.Dimensions["charge"] = t.ChargeID
	entry.Postings = s.returnPostings(returned, ledger.StripeClearing, ledger.StripeClearing)
	entry.Postings = append(entry.Postings, share.FeePostings(ledger.StripeClearing, s.operations, t.Fee)...)
	if err := s.openShortfallTasksTx(ctx, tx, t.SourceID, t.Currency, returned.parts); err != nil {
		return err
	}
	if err := s.openBeyondTaskTx(ctx, tx, t, returned); err != nil {
		return err
	}
	if err := s.postTx(ctx, tx, t, entry); err != nil {
		return err
	}
	c := change{object: t.SourceID, kind: ChangeRefund, payment: *p, at: t.CreatedAt}
	s.reviseReceiptAfter(c, returned, reason)
	return s.insertTakingTx(ctx, tx, c, returned)
}

// orderedPartsTx returns what staff ordered to refund from each fund; nil if nobody ordered it.
func (s *bookingRun) orderedPartsTx(ctx context.Context, tx *sqlx.Tx, t Transaction) (map[uuid.UUID]int64, error) {
	if s.Orders == nil || t.movement() != refunded {
		return nil, nil
	}
	return s.Orders.PartsTx(ctx, tx, refundcall.Booked{
		EntityID: s.entity.ID, Refund: t.SourceID, Charge: t.ChargeID, Order: t.RefundOrder, Amount: t.amount(-t.Amount),
	})
}

// returnedTx divides a returned amount over the funds, as it was ordered or in proportion, with each part's share of the
// fees and what operations absorbs. It locks the restricted funds.
func (s *bookingRun) returnedTx(ctx context.Context, tx *sqlx.Tx, shares []share.FundShare, ordered map[uuid.UUID]int64, amount money.Amount) (
	returned taking, err error,
) {
	if ordered != nil {
		returned.parts, returned.beyond, err = share.TakeOrdered(shares, ordered, amount.Currency)
	} else {
		returned.parts, returned.beyond, err = share.Take(shares, amount)
	}
	if err != nil {
		return returned, err
	}
	if err := share.AddFeesGivenBack(returned.parts, shares, amount.Currency); err != nil {
		return returned, err
	}
	return returned, s.absorbShortfallsTx(ctx, tx, returned.parts)
}

// returnPostings returns the postings of a refund (see refundTx). The money is credited to paidFrom; the fees are given
// back in feesIn.
func (s *bookingRun) returnPostings(returned taking, paidFrom, feesIn ledger.Account) []ledger.Posting {
	postings := share.MovePostings(ledger.RefundsWithout, paidFrom, s.operations, returned.beyond)
	var fees, sponsorFees int64
	for _, p := range returned.parts {
		postings = append(postings, share.MovePostings(ledger.RefundsPayable, paidFrom, p.Fund, p.Owed)...)
		postings = append(postings, share.MovePostings(ledger.Refunds(p.Fund.Restricted()), paidFrom, p.Fund, p.Gift-p.Absorbed)...)
		postings = append(postings, share.MovePostings(ledger.RefundsWithout, paidFrom, s.operations, p.Absorbed)...)
		postings = append(postings, share.FeePostings(feesIn, p.Fund, -p.Fee)...)
		postings = append(postings, share.SponsorFeePostings(feesIn, p.Fund, -p.SponsorFee)...)
		fees, sponsorFees = fees+p.Fee, sponsorFees+p.SponsorFee
	}
	postings = append(postings, share.FeePostings(feesIn, s.operations, fees)...)
	return append(postings, share.SponsorFeePostings(feesIn, s.operations, sponsorFees)...)
}

// refundFailedTx books a refund that the bank could not deliver: the money is back and owed to the donor. Finance
// repays it another way, as the task says.
//
//	debit  credit  fund
//	1010   2300    the funds that the refund was taken from
//	1010   4800    operations, what it paid beyond the gift
//	5100   1010    operations, what Stripe takes for it
func (s *bookingRun) refundFailedTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	refund, happened, err := s.earlierTx(ctx, tx, t.SourceID, ChangeRefund)
	if err != nil {
		return err
	}
	p, err := s.paymentOfTx(ctx, tx, t.ChargeID)
	if err != nil {
		return err
	}
	if p == nil || !happened || refund.total() != t.Amount {
		return s.bookUnexpectedTx(ctx, tx, t)
	}
	entry := t.entry(s.entity, kindMovement)
	entry.Postings = append(share.MovePostings(ledger.StripeClearing, ledger.RefundsWithout, s.operations, refund.beyond),
		share.FeePostings(ledger.StripeClearing, s.operations, t.Fee)...)
	for _, p := range refund.parts {
		entry.Postings = append(entry.Postings, share.MovePostings(ledger.StripeClearing, ledger.RefundsPayable, p.Fund, p.Gift+p.Owed)...)
	}
	if err := s.postTx(ctx, tx, t, entry); err != nil {
		return err
	}
	if err := s.openTaskTx(ctx, tx, taskRefundFailed, t); err != nil {
		return err
	}
	if s.Orders != nil {
		if err := s.Orders.FailedTx(ctx, tx, s.entity.ID, t.SourceID); err != nil {
			return err
		}
	}
	if p.DonationID != nil {
		if err := s.noticeTx(ctx, tx, *p.DonationID, notice.RefundFailed, t, t.Amount); err != nil {
			return err
		}
	}
	c := change{object: t.SourceID, kind: changeRefundFailed, payment: *p, at: t.CreatedAt}
	return s.insertTakingTx(ctx, tx, c, refund)
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
		if err := task.CloseOfTx(ctx, tx, s.entity.ID, kind, "charge", t.ChargeID, s.Now()); err != nil {
			return false, err
		}
	}
	if err := s.bookToOperationsTx(ctx, tx, t, ledger.Suspense); err != nil {
		return false, err
	}
	return true, s.insertChangeTx(ctx, tx, change{object: t.SourceID, kind: ChangeRefund, payment: p, amount: -t.Net, at: t.CreatedAt}, nil)
}

// noticeReturnedTx tells a donor that money went back which was held: finance refunds it, and there is no receipt that
// becomes void.
func (s *bookingRun) noticeReturnedTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	gift, err := notice.HeldFor(ctx, tx, t.ChargeID)
	if err != nil || gift == uuid.Nil || t.Net >= 0 {
		return err
	}
	return s.noticeTx(ctx, tx, gift, notice.Returned, t, -t.Net)
}

func (s *bookingRun) noticeTx(ctx context.Context, tx *sqlx.Tx, gift uuid.UUID, kind notice.Kind, t Transaction, minor int64) error {
	return s.Settler.Notices.RecordTx(ctx, tx, notice.Notice{
		DonationID: gift, Kind: kind, Cause: t.SourceID, AmountMinor: minor, Currency: string(t.Currency), At: t.CreatedAt,
	})
}

// bookUnexpectedTx books a movement of a charge that is in suspense or not booked, or one that contradicts an earlier one,
// to suspense with a task (a dispute's fee: 5110); one of an ignored payment of another program to 1095, without a task.
func (s *bookingRun) bookUnexpectedTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	if p, err := s.paymentOfTx(ctx, tx, t.ChargeID); err != nil {
		return err
	} else if p != nil {
		if ignored, err := payment.IsIgnored(ctx, tx, p.ID); err != nil {
			return err
		} else if ignored {
			return s.bookToOperationsTx(ctx, tx, t, ledger.MoneyOfOthers)
		}
	}
	if err := s.openTaskTx(ctx, tx, taskUnexpected, t); err != nil {
		return err
	}
	if m := t.movement(); t.Amount == 0 || m != disputeWithdrawn && m != disputeWon {
		return s.bookToOperationsTx(ctx, tx, t, ledger.Suspense)
	}
	entry := t.entry(s.entity, kindMovement)
	entry.Postings = ledger.Move(ledger.StripeClearing, ledger.Suspense, s.operations.ID, t.Amount)
	return s.postTx(ctx, tx, t, append(s.disputeFee(t), entry)...)
}
