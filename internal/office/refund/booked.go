package refund

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/jobs"
	"konbit/internal/processor/refundcall"
)

// Booked tells the orders what the books say. It is part of refundcall.Orders.
type Booked struct{ Queue *jobs.Queue }

// PartsTx is part of refundcall.Orders. The refund's order is the one that has the refund, or that the processor
// stored with it, if charge and amount are the order's. An order whose answer was lost gets its refund here, and a
// job that asks how it stands.
func (b Booked) PartsTx(ctx context.Context, tx *sqlx.Tx, r refundcall.Booked) (map[uuid.UUID]int64, error) {
	const find = `/* refund.PartsTx */
		SELECT id FROM refund_order WHERE entity_id = $1 AND charge_ref = $2 AND amount = $3 AND currency = $4
		   AND (stripe_refund_id = $5 OR stripe_refund_id IS NULL AND id::text = $6)`
	const link = `/* refund.PartsTx */ UPDATE refund_order SET stripe_refund_id = $2 WHERE id = $1 AND stripe_refund_id IS NULL AND state = 'sent'`
	var ids []uuid.UUID
	if err := tx.SelectContext(ctx, &ids, find, r.EntityID, r.Charge, r.Amount.Minor, r.Amount.Currency, r.Refund, r.Order); err != nil || len(ids) != 1 {
		return nil, err
	}
	if linked, err := changed(ctx, tx, link, ids[0], r.Refund); err != nil {
		return nil, err
	} else if linked {
		if err := b.Queue.EnqueueTx(ctx, tx, Job{ids[0]}); err != nil {
			return nil, err
		}
	}
	parts, err := partsOfOrder(ctx, tx, ids[0])
	byFund := make(map[uuid.UUID]int64, len(parts))
	for _, p := range parts {
		byFund[p.FundID] = p.Amount
	}
	return byFund, err
}

// FailedTx is part of refundcall.Orders. Settlement opens the task about it.
func (Booked) FailedTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, refund string) error {
	const query = `/* refund.FailedTx */
		UPDATE refund_order SET state = 'failed', problem = coalesce(problem, 'failed at the bank')
		 WHERE entity_id = $1 AND stripe_refund_id = $2 AND state IN ('sent', 'pending', 'succeeded')`
	_, err := changed(ctx, tx, query, entity, refund)
	return err
}
