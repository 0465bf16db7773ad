package settlement

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/task"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/money"
)

// refundTx books a refund: taken from the funds of the gift in proportion to what each still has of it, with
// the refunded part's share of the fees given back by operations, so that a fund stands as if that part
// had never come (48xx / 1010 and 1010 / 5100 and 1010 / 3900 in the fund, the reverse of the fees in
// operations). What a restricted fund cannot bear, operations bears.
func (s *bookingRun) refundTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	return s.bookReturnTx(ctx, tx, t, receipt.Refund)
}

func (s *bookingRun) bookReturnTx(ctx context.Context, tx *sqlx.Tx, t Transaction, why receipt.Reason) error {
	amount := -t.Net
	left, err := s.remainingByFundTx(ctx, tx, t.ChargeID)
	if err != nil {
		return err
	}
	if len(left) == 0 && why == receipt.Refund {
		if back, err := s.refundBeyondPlanTx(ctx, tx, t); err != nil || back {
			return err
		}
	}
	if amount <= 0 || amount > totalRemaining(left) {
		return s.bookUnexpectedTx(ctx, tx, t)
	}
	taken, err := takeProportionally(left, amount, t.Currency)
	if err == nil {
		err = addFeesGivenBack(taken, left, t.Currency)
	}
	if err == nil {
		err = s.absorbShortfallsTx(ctx, tx, taken)
	}
	if err != nil {
		return err
	}
	entry := t.entry(s.entity, kindMovement)
	entry.Dimensions["charge"] = t.ChargeID
	var fees, sponsors int64
	for _, p := range taken {
		entry.Postings = append(entry.Postings, movePostings(ledger.Refunds(p.fund.Restricted()), ledger.StripeClearing, p.fund, p.gift-p.absorbed)...)
		entry.Postings = append(entry.Postings, movePostings(ledger.RefundsWithout, ledger.StripeClearing, s.operations, p.absorbed)...)
		entry.Postings = append(entry.Postings, feePostings(p.fund, -p.fee)...)
		entry.Postings = append(entry.Postings, sponsorFeePostings(p.fund, -p.sponsorFee)...)
		fees, sponsors = fees+p.fee, sponsors+p.sponsorFee
		if err := s.openShortfallTaskTx(ctx, tx, t, p.fund, p.absorbed); err != nil {
			return err
		}
	}
	entry.Postings = append(entry.Postings, feePostings(s.operations, fees)...)
	entry.Postings = append(entry.Postings, sponsorFeePostings(s.operations, sponsors)...)
	if err := s.postTx(ctx, tx, t, entry); err != nil {
		return err
	}
	c := change{t.SourceID, changeRefund, t.ChargeID, amount, t.CreatedAt}
	if err := s.insertChangeTx(ctx, tx, c, taken); err != nil {
		return err
	}
	s.reviseReceiptOf(c, why)
	return nil
}

// refundFailedTx books a refund the bank could not deliver: the money is back and owed to the donor
// (1010 / 2300 in the funds it was taken from); finance repays it another way.
func (s *bookingRun) refundFailedTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	parts, happened, err := s.changePartsTx(ctx, tx, t.SourceID, changeRefund)
	if err != nil {
		return err
	}
	if !happened || totalGift(parts) != t.Net {
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
	return s.insertChangeTx(ctx, tx, change{t.SourceID, changeRefundFailed, t.ChargeID, t.Net, t.CreatedAt}, parts)
}

// backTx books the refund of a payment its plan had no room for: out of the suspense that it stands in, with nothing left for finance to
// do. false: it is no such refund, not whole, or not the first.
func (s *bookingRun) refundBeyondPlanTx(ctx context.Context, tx *sqlx.Tx, t Transaction) (bool, error) {
	const whole = `/* settlement.backTx */
		SELECT EXISTS (SELECT 1 FROM balance_transaction WHERE entity_id = $1 AND source_id = $2 AND type IN ('charge', 'payment') AND amount = $3)
		   AND NOT EXISTS (SELECT 1 FROM charge_change WHERE entity_id = $1 AND charge_id = $2)`
	ours, err := s.Settler.Plans.RefundsChargeTx(ctx, tx, s.entity.ID, t.ChargeID)
	if err == nil && ours {
		err = tx.GetContext(ctx, &ours, whole, s.entity.ID, t.ChargeID, -t.Net)
	}
	if err != nil || !ours {
		return false, err
	}
	for _, kind := range donation.RejectTaskKinds() {
		tasks, err := task.List(ctx, tx, task.Filter{EntityID: s.entity.ID, Code: kind.Code})
		if err != nil {
			return false, err
		}
		for _, open := range tasks {
			if open.Detail["charge"] != t.ChargeID {
				continue
			}
			if err := task.CloseTx(ctx, tx, s.entity.ID, kind, open.Subject, s.Now()); err != nil {
				return false, err
			}
		}
	}
	if err := s.bookToOperationsTx(ctx, tx, t, ledger.Suspense); err != nil {
		return false, err
	}
	return true, s.insertChangeTx(ctx, tx, change{t.SourceID, changeRefund, t.ChargeID, -t.Net, t.CreatedAt}, nil)
}

// unexpectedTx books what came back or went out of a charge we do not know, or more than it had: suspense.
func (s *bookingRun) bookUnexpectedTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	if err := s.openTaskTx(ctx, tx, taskUnexpected, t); err != nil {
		return err
	}
	return s.bookToOperationsTx(ctx, tx, t, ledger.Suspense)
}

// take takes an amount from funds in proportion to what each has left of a charge, by largest remainder.
func takeProportionally(left []fundShare, amount int64, c money.Currency) ([]part, error) {
	weights := make([]int64, len(left))
	for i, h := range left {
		weights[i] = h.remaining
	}
	split, err := money.New(amount, c).Split(weights)
	if err != nil {
		return nil, err
	}
	var taken []part
	for i, h := range left {
		if split[i].Minor != 0 {
			taken = append(taken, part{fund: h.fund, gift: split[i].Minor})
		}
	}
	return taken, nil
}

// withFees adds to refunded parts their share of the fees: of a fund's fee, the same proportion as of its whole gift, reckoned over
// all its refunds together, so that nothing is left over when all is refunded and disputes change nothing.
func addFeesGivenBack(taken []part, left []fundShare, c money.Currency) error {
	for i := range taken {
		p := &taken[i]
		h := left[slices.IndexFunc(left, func(h fundShare) bool { return h.fund.ID == p.fund.ID })]
		fee, err := proportion(h.fee, h.refunded+p.gift, h.gift, c)
		if err != nil {
			return err
		}
		sponsor, err := proportion(h.sponsorFee, h.refunded+p.gift, h.gift, c)
		if err != nil {
			return err
		}
		p.fee, p.sponsorFee = fee-h.feeBack, sponsor-h.sponsorFeeBack
	}
	return nil
}

// proportion is amount × of / all, rounded by largest remainder against the rest.
func proportion(amount, of, all int64, c money.Currency) (int64, error) {
	split, err := money.New(amount, c).Split([]int64{of, all - of})
	if err != nil {
		return 0, err
	}
	return split[0].Minor, nil
}

func totalRemaining(left []fundShare) (sum int64) {
	for _, h := range left {
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

// move is ledger.Move, nothing for nothing.
func movePostings(debit, credit ledger.Account, f fund.Fund, amount int64) []ledger.Posting {
	if amount == 0 {
		return nil
	}
	return ledger.Move(debit, credit, f.ID, amount)
}

// shortfallsTx notes on each part that is to be taken from a fund how much of it a restricted fund cannot bear without
// falling below zero. It locks the funds, so that nothing is awarded from them meanwhile.
func (s *bookingRun) absorbShortfallsTx(ctx context.Context, tx *sqlx.Tx, taken []part) error {
	funds := make([]uuid.UUID, len(taken))
	for i, p := range taken {
		funds[i] = p.fund.ID
	}
	if err := s.lockFundsTx(ctx, tx, funds); err != nil {
		return err
	}
	for i := range taken {
		p := &taken[i]
		if !p.fund.Restricted() {
			continue
		}
		has, err := ledger.RestrictedTx(ctx, tx, p.fund.ID)
		if err != nil {
			return err
		}
		// The fees that are given back are restricted again and bear their part.
		p.absorbed = min(max(p.gift-p.fee-p.sponsorFee-has, 0), p.gift)
	}
	return nil
}

// shortTx opens a task for what operations bore in a fund's place.
func (s *bookingRun) openShortfallTaskTx(ctx context.Context, tx *sqlx.Tx, t Transaction, f fund.Fund, short int64) error {
	if short == 0 {
		return nil
	}
	return task.OpenTx(ctx, tx, task.Task{
		EntityID: s.entity.ID, Kind: taskShortfall, Subject: t.SourceID + " " + f.Code,
		Detail: map[string]string{"fund": f.Code, "amount": fmt.Sprint(short), "of": t.SourceID, "currency": string(t.Currency)},
	}, s.NewID, s.Now())
}
