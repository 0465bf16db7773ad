package settlement

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/giving/receipt"
)

// Return is money of a charge that went back to the donor.
type Return struct {
	ChargeID string         `db:"charge_id"`
	At       time.Time      `db:"at"`
	Amount   int64          `db:"amount"` // minor units
	Reason   receipt.Reason `db:"reason"` // receipt.Refund, or receipt.Dispute
}

// Returns lists what went back of an entity's charges, by charge and moment, under the rule that receipts are revised by: refunds,
// and disputes lost for good.
func Returns(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, charges []string) (map[string][]Return, error) {
	const query = `/* settlement.Returns */
		SELECT h.charge_id, h.at, h.amount, CASE h.kind WHEN 'refund' THEN 'refund' ELSE 'dispute' END AS reason FROM charge_change h
		 WHERE h.charge_id = ANY($2::text[]) AND h.entity_id = $1 AND (h.kind = 'refund' OR h.kind = 'dispute lost' AND NOT EXISTS (
		       SELECT 1 FROM charge_change w WHERE w.object_id = h.object_id AND w.entity_id = h.entity_id AND w.kind = 'dispute won'))
		 ORDER BY h.at, h.object_id`
	var rows []Return
	if err := sqlx.SelectContext(ctx, q, &rows, query, entity, pq.Array(charges)); err != nil {
		return nil, err
	}
	returns := make(map[string][]Return, len(rows))
	for _, r := range rows {
		returns[r.ChargeID] = append(returns[r.ChargeID], r)
	}
	return returns, nil
}
