package settlement

import (
	"context"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/books/ledger"
	"konbit/internal/books/task"
	"konbit/internal/giving/receipt"
	"konbit/internal/processor/share"
)

// A bank debit has a balance transaction from the moment it is ordered; days later it succeeds or fails. Meanwhile its
// net is in suspense in operations, and finance has nothing to do.
//
//	event       debit  credit  fund
//	ordered     1010   1090    operations, the net
//	succeeded   1090   1010    operations; then the gift and its fees are booked like any other
//	failed      1090   1010    operations, what the other balance transaction takes back
//	            5100   1090    operations, what the failure cost

// chargeList holds the charges of a list.
type chargeList struct {
	byCharge map[string]Transaction // by charge
	unbooked map[string]bool        // charges whose balance transaction is not booked
	pending  map[string]int64       // what is in suspense of pending charges, in minor units by charge
}

func (s *bookingRun) chargeListTx(ctx context.Context, tx *sqlx.Tx, listed, fresh []Transaction) (chargeList, error) {
	l := chargeList{byCharge: map[string]Transaction{}, unbooked: map[string]bool{}}
	var ids []string
	for _, t := range listed {
		if t.movement() == chargeMade {
			l.byCharge[t.SourceID], ids = t, append(ids, t.SourceID)
		}
	}
	for _, t := range fresh {
		if t.movement() == chargeMade {
			l.unbooked[t.SourceID] = true
		}
	}
	var err error
	l.pending, err = s.pendingAmountsTx(ctx, tx, ids)
	return l, err
}

// pendingAmountsTx returns what is in suspense of those charges that are pending, in minor units by charge.
func (s *bookingRun) pendingAmountsTx(ctx context.Context, tx *sqlx.Tx, charges []string) (map[string]int64, error) {
	const query = `/* settlement.pendingAmountsTx */
		SELECT charge_id, amount FROM pending_charge WHERE entity_id = $1 AND charge_id = ANY($2) AND cleared_at IS NULL`
	open := map[string]int64{}
	if len(charges) == 0 {
		return open, nil
	}
	var rows []struct {
		ChargeID string `db:"charge_id"`
		Amount   int64  `db:"amount"`
	}
	err := tx.SelectContext(ctx, &rows, query, s.entity.ID, pq.Array(charges))
	for _, r := range rows {
		open[r.ChargeID] = r.Amount
	}
	return open, err
}

// bookPendingTx books a pending charge. A charge that cannot be read is booked in the same way, with a task.
func (s *bookingRun) bookPendingTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	const insert = `/* settlement.bookPendingTx */ INSERT INTO pending_charge (charge_id, entity_id, transaction_id, amount) VALUES ($1, $2, $3, $4)`
	if t.ReadError != nil {
		if err := s.openTaskTx(ctx, tx, taskUnreadable, t); err != nil {
			return err
		}
	}
	if t.Currency != s.entity.Currency {
		return s.openTaskTx(ctx, tx, taskOtherCurrency, t)
	}
	if _, err := tx.ExecContext(ctx, insert, t.SourceID, s.entity.ID, t.ID, t.Net); err != nil || t.Net == 0 {
		return err
	}
	entry := t.entry(s.entity, kindPending)
	entry.Dimensions["charge"] = t.SourceID
	entry.Postings = ledger.Move(ledger.StripeClearing, ledger.Suspense, s.operations.ID, t.Net)
	_, err := ledger.PostTx(ctx, tx, []ledger.Entry{entry}, s.NewID)
	return err
}

// clearPendingTx takes a pending charge that succeeded out of suspense: 1090 / 1010 in operations.
func (s *bookingRun) clearPendingTx(ctx context.Context, tx *sqlx.Tx, t Transaction, amount int64) error {
	if err := s.markClearedTx(ctx, tx, t.SourceID); err != nil || amount == 0 {
		return err
	}
	entry := t.entry(s.entity, kindCleared)
	entry.Dimensions["charge"] = t.SourceID
	entry.Postings = ledger.Move(ledger.Suspense, ledger.StripeClearing, s.operations.ID, amount)
	_, err := ledger.PostTx(ctx, tx, []ledger.Entry{entry}, s.NewID)
	return err
}

func (s *bookingRun) markClearedTx(ctx context.Context, tx *sqlx.Tx, charge string) error {
	const update = `/* settlement.markClearedTx */ UPDATE pending_charge SET cleared_at = $3 WHERE entity_id = $1 AND charge_id = $2`
	if _, err := tx.ExecContext(ctx, update, s.entity.ID, charge, s.Now()); err != nil {
		return err
	}
	return task.CloseTx(ctx, tx, s.entity.ID, taskWithoutInvoice, charge, s.Now())
}

// chargeFailedTx books a failed bank debit. One that had succeeded before is taken from the funds of its gift, like a
// refund; its receipt is revised as after a dispute, because the bank took the money back.
func (s *bookingRun) chargeFailedTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	open, err := s.pendingAmountsTx(ctx, tx, []string{t.ChargeID})
	if err != nil {
		return err
	}
	amount, pending := open[t.ChargeID]
	if !pending {
		return s.bookReturnTx(ctx, tx, t, receipt.Dispute)
	}
	if err := s.markClearedTx(ctx, tx, t.ChargeID); err != nil {
		return err
	}
	entry := t.entry(s.entity, kindMovement)
	entry.Dimensions["charge"] = t.ChargeID
	entry.Postings = append(share.MovePostings(ledger.Suspense, ledger.StripeClearing, s.operations, -t.Net),
		share.MovePostings(ledger.ProcessingFees, ledger.Suspense, s.operations, -t.Net-amount)...)
	if len(entry.Postings) == 0 {
		return nil
	}
	return s.postTx(ctx, tx, t, entry)
}
