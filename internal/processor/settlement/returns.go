package settlement

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/receipt"
	"konbit/internal/platform/pg"
)

// Return is money of a payment that went back to the donor.
type Return struct {
	PaymentID uuid.UUID      `db:"payment_id"`
	At        time.Time      `db:"at"`
	Amount    int64          `db:"amount"` // in minor units
	Reason    receipt.Reason `db:"reason"` // receipt.Refund or receipt.Dispute
}

// Returns lists the refunds of payments and the disputes that were finally lost, by payment and time. These are the
// same changes for which a receipt is revised: what a bank took back beyond the gift is not included.
func Returns(ctx context.Context, q sqlx.QueryerContext, payments []uuid.UUID) (map[uuid.UUID][]Return, error) {
	const query = `/* settlement.Returns */
		SELECT h.payment_id, h.at, h.amount, CASE h.kind WHEN 'refund' THEN 'refund' ELSE 'dispute' END AS reason FROM payment_change h
		 WHERE h.payment_id = ANY($1::uuid[]) AND h.amount > 0 AND (h.kind = 'refund' OR h.kind = 'dispute lost' AND NOT EXISTS (
		       SELECT 1 FROM payment_change w WHERE w.object_id = h.object_id AND w.entity_id = h.entity_id AND w.kind = 'dispute won'))
		 ORDER BY h.at, h.object_id`
	var rows []Return
	if err := sqlx.SelectContext(ctx, q, &rows, query, pg.UUIDs(payments)); err != nil {
		return nil, err
	}
	returns := make(map[uuid.UUID][]Return, len(rows))
	for _, r := range rows {
		returns[r.PaymentID] = append(returns[r.PaymentID], r)
	}
	return returns, nil
}
