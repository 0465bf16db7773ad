package payout

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/fund"
	"konbit/internal/ledger"
	"konbit/internal/receipt"
)

// withdrawnTx books money a donor's bank took back for the time of a dispute: 1020 / 1010 in the funds of the
// gift, the dispute's fee 5110 / 1010 in operations. An inquiry moves no money and books nothing.
func (s *session) withdrawnTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	amount := -t.Amount
	left, err := s.leftTx(ctx, tx, t.ChargeID)
	if err != nil {
		return err
	}
	if len(left) == 0 || amount <= 0 || amount > sum(left) {
		return s.unexpectedTx(ctx, tx, t)
	}
	taken, err := take(left, amount, t.Currency)
	if err != nil {
		return err
	}
	for i := range taken {
		taken[i].fee, taken[i].sponsor = 0, 0 // a dispute gives no fee back
	}
	entries := []ledger.Entry{s.disputeEntry(t, ledger.DisputedFundsWithheld, ledger.StripeClearing, taken)}
	entries = append(entries, s.disputeFee(t)...)
	if err := s.postTx(ctx, tx, t, entries...); err != nil {
		return err
	}
	return s.keepChangeTx(ctx, tx, change{t.SourceID, changeWithdrawn, t.ChargeID, amount, t.CreatedAt}, taken)
}

// wonTx books the money back: 1010 / 1020 in the same funds; the fee only if the transaction returns it.
func (s *session) wonTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	parts, happened, err := s.changePartsTx(ctx, tx, t.SourceID, changeWithdrawn)
	if err != nil {
		return err
	}
	if !happened || sum(parts) != t.Amount {
		return s.unexpectedTx(ctx, tx, t)
	}
	entries := []ledger.Entry{s.disputeEntry(t, ledger.StripeClearing, ledger.DisputedFundsWithheld, parts)}
	entries = append(entries, s.disputeFee(t)...)
	if err := s.postTx(ctx, tx, t, entries...); err != nil {
		return err
	}
	return s.keepChangeTx(ctx, tx, change{t.SourceID, changeWon, t.ChargeID, t.Amount, t.CreatedAt}, parts)
}

func (s *session) disputeEntry(t Transaction, debit, credit ledger.Account, parts []part) ledger.Entry {
	entry := t.entry(s.entity, kindMovement)
	entry.Dimensions["charge"] = t.ChargeID
	for _, p := range parts {
		entry.Postings = append(entry.Postings, move(debit, credit, p.fund, p.gift)...)
	}
	return entry
}

func (s *session) disputeFee(t Transaction) []ledger.Entry {
	if t.Fee == 0 {
		return nil
	}
	entry := t.entry(s.entity, kindDisputeFee)
	entry.Postings = ledger.Move(ledger.DisputeFees, ledger.StripeClearing, s.operations.ID, t.Fee)
	return []ledger.Entry{entry}
}

// Lost is a dispute the bank decided against us. No money moves any more; the withheld part is lost.
type Lost struct {
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
func (b Booker) LoseTx(ctx context.Context, tx *sqlx.Tx, setup *fund.Snapshot, l Lost) (bool, error) {
	entity, err := setup.EntityByID(l.EntityID)
	if err != nil {
		return false, err
	}
	operations, err := setup.Operations(l.EntityID)
	if err != nil {
		return false, err
	}
	s := &session{Booker: b, setup: setup, entity: entity, operations: operations}
	if _, lost, err := s.changePartsTx(ctx, tx, l.ID, changeLost); lost || err != nil {
		return lost, err
	}
	parts, withdrawn, err := s.changePartsTx(ctx, tx, l.ID, changeWithdrawn)
	if err != nil {
		return false, err
	}
	if !withdrawn && l.Withdrew {
		return s.movedTx(ctx, tx, l.ID) // booked and still no change: its withdrawal stands in suspense, with a task, and so does its end
	}
	if !withdrawn {
		return true, nil
	}
	short, err := s.shortfallsTx(ctx, tx, parts)
	if err != nil {
		return false, err
	}
	t := Transaction{ID: l.ID, Type: "dispute", SourceID: l.ID, ChargeID: l.ChargeID, Amount: -sum(parts), Currency: entity.Currency, CreatedAt: l.At}
	entry := t.entry(entity, kindLost)
	entry.Source = sourceDispute
	for i, p := range parts {
		entry.Postings = append(entry.Postings, move(ledger.Chargebacks(p.fund.Restricted()), ledger.DisputedFundsWithheld, p.fund, p.gift-short[i])...)
		entry.Postings = append(entry.Postings, move(ledger.StripeClearing, ledger.DisputedFundsWithheld, p.fund, short[i])...)
		entry.Postings = append(entry.Postings, move(ledger.ChargebacksWithout, ledger.StripeClearing, operations, short[i])...)
		if err := s.shortTx(ctx, tx, t, p.fund, short[i]); err != nil {
			return false, err
		}
	}
	if err := s.postTx(ctx, tx, t, entry); err != nil {
		return false, err
	}
	c := change{l.ID, changeLost, l.ChargeID, sum(parts), l.At}
	if err := s.keepChangeTx(ctx, tx, c, parts); err != nil {
		return false, err
	}
	return true, s.reviseTx(ctx, tx, c, receipt.Dispute)
}
