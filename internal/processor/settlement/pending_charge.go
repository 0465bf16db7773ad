package settlement

import (
	"context"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/books/ledger"
	"konbit/internal/books/task"
	"konbit/internal/giving/receipt"
)

// A bank debit is a balance transaction from the moment it is ordered, and days later it succeeds or fails. Until
// then its net stands in suspense in operations (1010 / 1090), and there is nothing to do about it. When it succeeds the
// gift is booked like any other and the suspense cleared; when it fails, another balance transaction takes the money back.

// chargeList is the charges of a list that may have something to be booked.
type chargeList struct {
	byCharge map[string]Transaction // by charge
	unbooked map[string]bool        // charges whose balance transaction is new
	pending  map[string]int64       // pending ones by charge, with what stands in suspense
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

// pendingTx reads what stands in suspense of those charges that are pending.
func (s *bookingRun) pendingAmountsTx(ctx context.Context, tx *sqlx.Tx, charges []string) (map[string]int64, error) {
	const query = `/* settlement.pendingTx */
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

// expectTx books a pending charge: 1010 / 1090 in operations. One that cannot be read is a task too.
func (s *bookingRun) bookPendingTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	const insert = `/* settlement.expectTx */ INSERT INTO pending_charge (charge_id, entity_id, transaction_id, amount) VALUES ($1, $2, $3, $4)`
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

// clearTx takes a pending charge out of suspense again, 1090 / 1010 in operations, because it succeeded.
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
	const update = `/* settlement.clearedTx */ UPDATE pending_charge SET cleared_at = $3 WHERE entity_id = $1 AND charge_id = $2`
	if _, err := tx.ExecContext(ctx, update, s.entity.ID, charge, s.Now()); err != nil {
		return err
	}
	return task.CloseTx(ctx, tx, s.entity.ID, taskWithoutInvoice, charge, s.Now())
}

// chargeFailedTx books the money of a bank debit going back: out of suspense (1090 / 1010), what it cost borne by operations
// (5100 / 1090). One that had succeeded before is taken from the funds of its gift, as the bank took it back.
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
	entry.Postings = append(movePostings(ledger.Suspense, ledger.StripeClearing, s.operations, -t.Net),
		movePostings(ledger.ProcessingFees, ledger.Suspense, s.operations, -t.Net-amount)...)
	if len(entry.Postings) == 0 {
		return nil
	}
	return s.postTx(ctx, tx, t, entry)
}
