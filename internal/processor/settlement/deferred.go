package settlement

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/platform/money"
)

// A charge whose invoice is not known is deferred: it is booked like a pending one (pending_charge.go), 1010 / 1090 in
// operations, and so is what happens to it meanwhile. 1010 is then what Stripe holds at any time, and only movements of
// that charge wait. When the invoice is known, the charge is booked as its gift, dated by the charge, and then its
// refunds and disputes in Stripe's order: a refund takes a share of a gift that must be booked first, and a dispute is
// won after it was withdrawn.

// deferChargeTx books a charge whose invoice is not known. One that is pending already now waits for the invoice.
func (s *bookingRun) deferChargeTx(ctx context.Context, tx *sqlx.Tx, list chargeList, charge, invoice string) error {
	const update = `/* settlement.deferChargeTx */ UPDATE pending_charge SET bill = $3 WHERE entity_id = $1 AND charge_id = $2 AND bill IS DISTINCT FROM $3`
	t := list.byCharge[charge]
	if _, pending := list.pending[charge]; !pending {
		if err := s.bookPendingTx(ctx, tx, t); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, update, s.entity.ID, charge, invoice)
	return err
}

// mustDeferTx reports whether a movement is of a charge that waits for its invoice, or of a charge whose earlier
// movements are deferred.
func (s *bookingRun) mustDeferTx(ctx context.Context, tx *sqlx.Tx, t Transaction) (wait bool, err error) {
	const query = `/* settlement.mustDeferTx */
		SELECT EXISTS (SELECT 1 FROM pending_charge WHERE entity_id = $1 AND charge_id = $2 AND bill IS NOT NULL AND cleared_at IS NULL)
		    OR EXISTS (SELECT 1 FROM pending_movement WHERE entity_id = $1 AND charge_id = $2 AND cleared_at IS NULL)`
	if t.ChargeID == "" || !slices.Contains([]movement{chargeFailed, refunded, refundFailed, disputeWithdrawn, disputeWon}, t.movement()) {
		return false, nil
	}
	err = tx.GetContext(ctx, &wait, query, s.entity.ID, t.ChargeID)
	return wait, err
}

// deferMovementTx books the net of a movement to suspense until its charge is booked.
func (s *bookingRun) deferMovementTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	const insert = `/* settlement.deferMovementTx */ INSERT INTO pending_movement (transaction_id, entity_id, charge_id, category) VALUES ($1, $2, $3, $4)`
	if _, err := tx.ExecContext(ctx, insert, t.ID, s.entity.ID, t.ChargeID, t.Category); err != nil {
		return err
	}
	return s.moveToSuspenseTx(ctx, tx, t, kindPending, t.Net)
}

// moveToSuspenseTx moves an amount from clearing to suspense in operations (1010 / 1090); a negative amount back.
func (s *bookingRun) moveToSuspenseTx(ctx context.Context, tx *sqlx.Tx, t Transaction, kind string, amount int64) error {
	if amount == 0 {
		return nil
	}
	entry := t.entry(s.entity, kind)
	entry.Dimensions["charge"] = t.ChargeID
	entry.Postings = ledger.Move(ledger.StripeClearing, ledger.Suspense, s.operations.ID, amount)
	_, err := ledger.PostTx(ctx, tx, []ledger.Entry{entry}, s.NewID)
	return err
}

// BookDeferredTx takes the oldest deferred movement whose charge is booked now out of suspense and books it by its
// rule. It returns false if there is none.
func (b Booker) BookDeferredTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, entityID uuid.UUID) (bool, error) {
	const clearMovement = `/* settlement.BookDeferredTx */ UPDATE pending_movement SET cleared_at = $3 WHERE entity_id = $1 AND transaction_id = $2`
	s, err := b.newRun(catalog, entityID)
	if err != nil {
		return false, err
	}
	t, err := s.nextDeferredTx(ctx, tx)
	if err != nil || t.ID == "" {
		return false, err
	}
	if err := s.lockFundsOfTx(ctx, tx, []Transaction{t}, chargeList{}); err != nil {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, clearMovement, entityID, t.ID, b.Now()); err != nil {
		return false, err
	}
	if err := s.moveToSuspenseTx(ctx, tx, t, kindCleared, -t.Net); err != nil {
		return false, err
	}
	if err := s.bookByKindTx(ctx, tx, t); err != nil {
		return false, err
	}
	return true, s.reviseReceiptsTx(ctx, tx)
}

// nextDeferredTx locks and returns the oldest deferred movement whose charge is booked; its ID is empty if there is
// none.
func (s *bookingRun) nextDeferredTx(ctx context.Context, tx *sqlx.Tx) (t Transaction, err error) {
	const query = `/* settlement.nextDeferredTx */
		SELECT b.id, b.type, m.category, b.source_id, m.charge_id, b.amount, b.fee, b.net, b.currency, b.created_at, b.available_on
		  FROM pending_movement m
		  JOIN pending_charge c ON c.charge_id = m.charge_id AND c.entity_id = m.entity_id
		  JOIN balance_transaction b ON b.id = m.transaction_id AND b.entity_id = m.entity_id
		 WHERE m.entity_id = $1 AND m.cleared_at IS NULL AND c.cleared_at IS NOT NULL
		 ORDER BY b.created_at, m.n LIMIT 1 FOR UPDATE OF m`
	var rows []struct {
		ID          string         `db:"id"`
		Type        string         `db:"type"`
		Category    string         `db:"category"`
		SourceID    string         `db:"source_id"`
		ChargeID    string         `db:"charge_id"`
		Amount      int64          `db:"amount"`
		Fee         int64          `db:"fee"`
		Net         int64          `db:"net"`
		Currency    money.Currency `db:"currency"`
		CreatedAt   time.Time      `db:"created_at"`
		AvailableOn time.Time      `db:"available_on"`
	}
	if err := tx.SelectContext(ctx, &rows, query, s.entity.ID); err != nil || len(rows) == 0 {
		return t, err
	}
	r := rows[0]
	return Transaction{
		ID: r.ID, Type: r.Type, Category: r.Category, SourceID: r.SourceID, ChargeID: r.ChargeID, Amount: r.Amount, Fee: r.Fee, Net: r.Net,
		Currency: r.Currency, CreatedAt: r.CreatedAt, AvailableOn: r.AvailableOn,
	}, nil
}
