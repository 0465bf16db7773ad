package settlement

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/giving/receipt"
)

// withdrawnTx books money a donor's bank took back for the time of a dispute: 1020 / 1010 in the funds of the
// gift, the dispute's fee 5110 / 1010 in operations. An inquiry moves no money and books nothing.
func (s *bookingRun) disputeWithdrawnTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	amount := -t.Amount
	left, err := s.remainingByFundTx(ctx, tx, t.ChargeID)
	if err != nil {
		return err
	}
	_, again, err := s.changePartsTx(ctx, tx, t.SourceID, changeWithdrawn)
	if err != nil {
		return err
	}
	if again || amount <= 0 || amount > totalRemaining(left) {
		return s.bookUnexpectedTx(ctx, tx, t)
	}
	taken, err := takeProportionally(left, amount, t.Currency)
	if err != nil {
		return err
	}
	entries := []ledger.Entry{s.disputeEntry(t, ledger.DisputedFundsWithheld, ledger.StripeClearing, taken)}
	entries = append(entries, s.disputeFee(t)...)
	if err := s.postTx(ctx, tx, t, entries...); err != nil {
		return err
	}
	return s.insertChangeTx(ctx, tx, change{t.SourceID, changeWithdrawn, t.ChargeID, amount, t.CreatedAt}, taken)
}

// wonTx books the money back: 1010 / 1020 in the same funds; the fee only if the transaction returns it. A dispute that was lost
// before and is won after all has nothing withheld any more: the chargeback is reversed and the gift's receipt reinstated.
func (s *bookingRun) disputeWonTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	parts, withdrawn, err := s.changePartsTx(ctx, tx, t.SourceID, changeWithdrawn)
	if err != nil {
		return err
	}
	_, again, err := s.changePartsTx(ctx, tx, t.SourceID, changeWon)
	if err != nil {
		return err
	}
	if !withdrawn || again || totalGift(parts) != t.Amount {
		return s.bookUnexpectedTx(ctx, tx, t)
	}
	gone, lost, err := s.changePartsTx(ctx, tx, t.SourceID, changeLost)
	if err != nil {
		return err
	}
	back := s.disputeEntry(t, ledger.StripeClearing, ledger.DisputedFundsWithheld, parts)
	if lost {
		back = s.reinstatedEntry(t, gone)
	}
	if err := s.postTx(ctx, tx, t, append([]ledger.Entry{back}, s.disputeFee(t)...)...); err != nil {
		return err
	}
	c := change{t.SourceID, changeWon, t.ChargeID, t.Amount, t.CreatedAt}
	if lost {
		s.reviseReceiptOf(c, receipt.Reinstated)
	}
	return s.insertChangeTx(ctx, tx, c, parts)
}

// reinstatedEntry is 1010 / 4810 or 4815 in the funds that bore a chargeback, and 1010 / 4810 in operations for what it bore.
func (s *bookingRun) reinstatedEntry(t Transaction, gone []part) ledger.Entry {
	entry := t.entry(s.entity, kindMovement)
	entry.Dimensions["charge"] = t.ChargeID
	for _, p := range gone {
		entry.Postings = append(entry.Postings, movePostings(ledger.StripeClearing, ledger.Chargebacks(p.fund.Restricted()), p.fund, p.gift-p.absorbed)...)
		entry.Postings = append(entry.Postings, movePostings(ledger.StripeClearing, ledger.ChargebacksWithout, s.operations, p.absorbed)...)
	}
	return entry
}

func (s *bookingRun) disputeEntry(t Transaction, debit, credit ledger.Account, parts []part) ledger.Entry {
	entry := t.entry(s.entity, kindMovement)
	entry.Dimensions["charge"] = t.ChargeID
	for _, p := range parts {
		entry.Postings = append(entry.Postings, movePostings(debit, credit, p.fund, p.gift)...)
	}
	return entry
}

func (s *bookingRun) disputeFee(t Transaction) []ledger.Entry {
	if t.Fee == 0 {
		return nil
	}
	entry := t.entry(s.entity, kindDisputeFee)
	entry.Postings = ledger.Move(ledger.DisputeFees, ledger.StripeClearing, s.operations.ID, t.Fee)
	return []ledger.Entry{entry}
}

// Lost is a dispute the bank decided against us. No money moves any more; the withheld part is lost.
type LostDispute struct {
	EntityID uuid.UUID
	ID       string // the dispute's
	ChargeID string
	Withdrew bool // its money was withdrawn at some time (an inquiry's never is)
	At       time.Time
}

// LoseTx books a lost dispute: 4810 or 4815 / 1020 in the funds it was withheld from; what a restricted fund
// cannot bear goes back to it (1010 / 1020) and operations bears it (4810 / 1010), with a task. The gift's
// receipt becomes void or is replaced. It answers false when the withdrawal is not booked yet, so that the
// caller asks again later. A repeat changes nothing.
func (b Booker) BookLostDisputeTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, l LostDispute) (bool, error) {
	s, err := b.newRun(catalog, l.EntityID)
	if err != nil {
		return false, err
	}
	if _, won, err := s.changePartsTx(ctx, tx, l.ID, changeWon); won || err != nil {
		return won, err // it was won after all, or the event is stale: nothing is withheld that could be lost
	}
	if _, lost, err := s.changePartsTx(ctx, tx, l.ID, changeLost); lost || err != nil {
		return lost, err
	}
	parts, withdrawn, err := s.changePartsTx(ctx, tx, l.ID, changeWithdrawn)
	if err != nil {
		return false, err
	}
	if !withdrawn && l.Withdrew {
		return s.hasMovementTx(ctx, tx, l.ID) // booked and still no change: its withdrawal stands in suspense, with a task, and so does its end
	}
	if !withdrawn {
		return true, nil
	}
	if err := s.absorbShortfallsTx(ctx, tx, parts); err != nil {
		return false, err
	}
	t := Transaction{ID: l.ID, Type: "dispute", SourceID: l.ID, ChargeID: l.ChargeID, Amount: -totalGift(parts), Currency: s.entity.Currency, CreatedAt: l.At}
	entry := t.entry(s.entity, kindLost)
	entry.Source = sourceDispute
	for _, p := range parts {
		entry.Postings = append(entry.Postings, movePostings(ledger.Chargebacks(p.fund.Restricted()), ledger.DisputedFundsWithheld, p.fund, p.gift-p.absorbed)...)
		entry.Postings = append(entry.Postings, movePostings(ledger.StripeClearing, ledger.DisputedFundsWithheld, p.fund, p.absorbed)...)
		entry.Postings = append(entry.Postings, movePostings(ledger.ChargebacksWithout, ledger.StripeClearing, s.operations, p.absorbed)...)
		if err := s.openShortfallTaskTx(ctx, tx, t, p.fund, p.absorbed); err != nil {
			return false, err
		}
	}
	if err := s.postTx(ctx, tx, t, entry); err != nil {
		return false, err
	}
	c := change{l.ID, changeLost, l.ChargeID, totalGift(parts), l.At}
	if err := s.insertChangeTx(ctx, tx, c, parts); err != nil {
		return false, err
	}
	s.reviseReceiptOf(c, receipt.Dispute)
	return true, s.reviseReceiptsTx(ctx, tx)
}

// OpenDisputes lists the disputes whose money is withdrawn and that are neither won nor lost, oldest first.
func OpenDisputes(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID) (disputes []string, err error) {
	const query = `/* settlement.OpenDisputes */
		SELECT w.object_id FROM charge_change w WHERE w.entity_id = $1 AND w.kind = 'dispute withdrawn' AND NOT EXISTS (
		    SELECT 1 FROM charge_change e WHERE e.object_id = w.object_id AND e.entity_id = w.entity_id AND e.kind IN ('dispute won', 'dispute lost'))
		 ORDER BY w.at`
	err = sqlx.SelectContext(ctx, q, &disputes, query, entity)
	return disputes, err
}
