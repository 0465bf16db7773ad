package settlement

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/giving/receipt"
	"konbit/internal/processor/share"
)

// disputeWithdrawnTx books money that the donor's bank withdrew while it decides a dispute. An inquiry moves no money
// and books nothing. The bank's amount is bound to nothing: it may be more than the charge, or of a charge that was
// refunded or disputed before.
//
//	debit  credit  fund
//	1020   1010    the funds of the gift: what they owe the donor, then in proportion to what remains in each
//	1020   1010    operations, what is more than is left of the gift (a task says so)
//	5110   1010    operations, the dispute's fee
func (s *bookingRun) disputeWithdrawnTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	p, err := s.paymentOfTx(ctx, tx, t.ChargeID)
	if err != nil {
		return err
	}
	shares, err := s.remainingByFundTx(ctx, tx, p)
	if err != nil {
		return err
	}
	_, again, err := s.earlierTx(ctx, tx, t.SourceID, ChangeWithdrawn)
	if err != nil {
		return err
	}
	if again || t.Amount >= 0 || len(shares) == 0 {
		return s.bookUnexpectedTx(ctx, tx, t)
	}
	var taken taking
	if taken.parts, taken.beyond, err = share.Take(shares, t.amount(-t.Amount)); err != nil {
		return err
	}
	if err := s.openBeyondTaskTx(ctx, tx, t, taken); err != nil {
		return err
	}
	entries := []ledger.Entry{s.disputeEntry(t, ledger.DisputedFundsWithheld, ledger.StripeClearing, taken)}
	entries = append(entries, s.disputeFee(t)...)
	if err := s.postTx(ctx, tx, t, entries...); err != nil {
		return err
	}
	if err := s.insertTakingTx(ctx, tx, change{object: t.SourceID, kind: ChangeWithdrawn, payment: *p, at: t.CreatedAt}, taken); err != nil {
		return err
	}
	return s.Disputes().FollowTx(ctx, tx, s.entity.ID, t.SourceID)
}

// disputeWonTx books the money of a won dispute.
//
//	dispute                    debit  credit       fund
//	open                       1010   1020         the funds it was withheld from
//	lost before, won after all 1010   4810 / 4815  the funds that paid the chargeback
//	                           1010   2300         the funds that owe it to the donor, since a refund failed
//	                           1010   4810         operations, what it absorbed or paid beyond the gift
//	if the fee comes back too  1010   5110         operations
//
// A dispute that was lost before has nothing withheld any more; its gift's receipt is reinstated.
func (s *bookingRun) disputeWonTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	taken, withdrawn, err := s.earlierTx(ctx, tx, t.SourceID, ChangeWithdrawn)
	if err != nil {
		return err
	}
	_, again, err := s.earlierTx(ctx, tx, t.SourceID, ChangeWon)
	if err != nil {
		return err
	}
	p, err := s.paymentOfTx(ctx, tx, t.ChargeID)
	if err != nil {
		return err
	}
	if p == nil || !withdrawn || again || taken.total() != t.Amount {
		return s.bookUnexpectedTx(ctx, tx, t)
	}
	whenLost, lost, err := s.earlierTx(ctx, tx, t.SourceID, ChangeLost)
	if err != nil {
		return err
	}
	back := s.disputeEntry(t, ledger.StripeClearing, ledger.DisputedFundsWithheld, taken)
	if lost {
		back = s.reinstatedEntry(t, whenLost)
	}
	if err := s.postTx(ctx, tx, t, append([]ledger.Entry{back}, s.disputeFee(t)...)...); err != nil {
		return err
	}
	c := change{object: t.SourceID, kind: ChangeWon, payment: *p, at: t.CreatedAt}
	if lost {
		s.reviseReceiptAfter(c, taken, receipt.Reinstated)
	}
	if err := s.insertTakingTx(ctx, tx, c, taken); err != nil {
		return err
	}
	return s.Disputes().FollowTx(ctx, tx, s.entity.ID, t.SourceID)
}

// reinstatedEntry returns the entry of a dispute that was lost before and is won after all.
func (s *bookingRun) reinstatedEntry(t Transaction, lost taking) ledger.Entry {
	entry := t.entry(s.entity, kindMovement)
	entry.Dimensions["charge"] = t.ChargeID
	entry.Postings = share.MovePostings(ledger.StripeClearing, ledger.ChargebacksWithout, s.operations, lost.beyond)
	for _, p := range lost.parts {
		entry.Postings = append(entry.Postings, share.MovePostings(ledger.StripeClearing, ledger.RefundsPayable, p.Fund, p.Owed)...)
		returned := share.MovePostings(ledger.StripeClearing, ledger.Chargebacks(p.Fund.Restricted()), p.Fund, p.Gift-p.Absorbed)
		entry.Postings = append(entry.Postings, returned...)
		entry.Postings = append(entry.Postings, share.MovePostings(ledger.StripeClearing, ledger.ChargebacksWithout, s.operations, p.Absorbed)...)
	}
	return entry
}

func (s *bookingRun) disputeEntry(t Transaction, debit, credit ledger.Account, taken taking) ledger.Entry {
	entry := t.entry(s.entity, kindMovement)
	entry.Dimensions["charge"] = t.ChargeID
	entry.Postings = share.MovePostings(debit, credit, s.operations, taken.beyond)
	for _, p := range taken.parts {
		entry.Postings = append(entry.Postings, share.MovePostings(debit, credit, p.Fund, p.Gift+p.Owed)...)
	}
	return entry
}

// disputeFee returns the entry of the dispute's fee, 5110 / 1010 in operations; nil if the transaction has none. A
// negative fee comes back.
func (s *bookingRun) disputeFee(t Transaction) []ledger.Entry {
	if t.Fee == 0 {
		return nil
	}
	entry := t.entry(s.entity, kindDisputeFee)
	entry.Postings = ledger.Move(ledger.DisputeFees, ledger.StripeClearing, s.operations.ID, t.Fee)
	return []ledger.Entry{entry}
}

// LostDispute is a dispute that the bank decided against us. No money moves any more; the withheld part is lost.
type LostDispute struct {
	EntityID uuid.UUID
	ID       string // the dispute's
	ChargeID string
	Withdrew bool // its money was withdrawn at some time; never true for an inquiry
	At       time.Time
}

// BookLostDisputeTx books a lost dispute, and the gift's receipt becomes void or is replaced. 481x is 4810, or 4815 for
// a restricted fund.
//
//	debit  credit  fund
//	2300   1020    the funds that owed it to the donor, since a refund failed
//	481x   1020    the funds it was withheld from, as far as each can pay it
//	1010   1020    a restricted fund, what it cannot pay
//	4810   1010    operations, the same amount; a task says so
//	4810   1020    operations, what is more than was left of the gift
//
// It returns false if the withdrawal is not booked yet: the caller must try again later. A repeat, or a dispute that
// was won meanwhile, changes nothing and returns true.
func (b Booker) BookLostDisputeTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, l LostDispute) (bool, error) {
	s, err := b.newRun(catalog, l.EntityID)
	if err != nil {
		return false, err
	}
	if _, won, err := s.earlierTx(ctx, tx, l.ID, ChangeWon); won || err != nil {
		return won, err
	}
	if _, lost, err := s.earlierTx(ctx, tx, l.ID, ChangeLost); lost || err != nil {
		return lost, err
	}
	taken, withdrawn, err := s.earlierTx(ctx, tx, l.ID, ChangeWithdrawn)
	if err != nil {
		return false, err
	}
	if !withdrawn && l.Withdrew {
		// If the withdrawal is booked without a change, it is in suspense with a task, and so is the end of the
		// dispute.
		return s.hasMovementTx(ctx, tx, l.ID)
	}
	if !withdrawn {
		return true, nil
	}
	return true, s.loseTx(ctx, tx, l, taken)
}

// loseTx books a lost dispute whose money is withheld as taken says.
func (s *bookingRun) loseTx(ctx context.Context, tx *sqlx.Tx, l LostDispute, taken taking) error {
	p, err := s.paymentOfTx(ctx, tx, l.ChargeID)
	if err != nil {
		return err
	}
	if p == nil {
		return fmt.Errorf("settlement: dispute %s is of charge %q, which is not booked", l.ID, l.ChargeID)
	}
	if err := s.absorbShortfallsTx(ctx, tx, taken.parts); err != nil {
		return err
	}
	t := Transaction{
		ID: l.ID, Type: "dispute", SourceID: l.ID, ChargeID: l.ChargeID, Amount: -taken.total(), Currency: s.entity.Currency, CreatedAt: l.At,
	}
	entry := t.entry(s.entity, kindLost)
	entry.Source = sourceDispute
	entry.Postings = share.MovePostings(ledger.ChargebacksWithout, ledger.DisputedFundsWithheld, s.operations, taken.beyond)
	for _, p := range taken.parts {
		entry.Postings = append(entry.Postings, share.MovePostings(ledger.RefundsPayable, ledger.DisputedFundsWithheld, p.Fund, p.Owed)...)
		entry.Postings = append(entry.Postings, share.MovePostings(ledger.Chargebacks(p.Fund.Restricted()),
			ledger.DisputedFundsWithheld, p.Fund, p.Gift-p.Absorbed)...)
		entry.Postings = append(entry.Postings, share.MovePostings(ledger.StripeClearing, ledger.DisputedFundsWithheld, p.Fund, p.Absorbed)...)
		entry.Postings = append(entry.Postings, share.MovePostings(ledger.ChargebacksWithout, ledger.StripeClearing, s.operations, p.Absorbed)...)
	}
	if err := s.openShortfallTasksTx(ctx, tx, l.ID, t.Currency, taken.parts); err != nil {
		return err
	}
	if err := s.postTx(ctx, tx, t, entry); err != nil {
		return err
	}
	c := change{object: l.ID, kind: ChangeLost, payment: *p, at: l.At}
	if err := s.insertTakingTx(ctx, tx, c, taken); err != nil {
		return err
	}
	if err := s.Disputes().FollowTx(ctx, tx, s.entity.ID, l.ID); err != nil {
		return err
	}
	s.reviseReceiptAfter(c, taken, receipt.Dispute)
	return s.reviseReceiptsTx(ctx, tx)
}

// OpenDisputes lists the disputes whose money is withdrawn and that are neither won nor lost, oldest first.
func OpenDisputes(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID) (disputes []string, err error) {
	const query = `/* settlement.OpenDisputes */
		SELECT w.object_id FROM payment_change w WHERE w.entity_id = $1 AND w.kind = 'dispute withdrawn' AND NOT EXISTS (
		    SELECT 1 FROM payment_change e WHERE e.object_id = w.object_id AND e.entity_id = w.entity_id AND e.kind IN ('dispute won', 'dispute lost'))
		 ORDER BY w.at`
	err = sqlx.SelectContext(ctx, q, &disputes, query, entity)
	return disputes, err
}
