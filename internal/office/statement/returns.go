package statement

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/receipt"
	"konbit/internal/platform/pg"
)

// returned is money of a payment that went back to the donor.
type returned struct {
	PaymentID uuid.UUID      `db:"payment_id"`
	At        time.Time      `db:"at"`
	Amount    int64          `db:"amount"` // in minor units
	Reason    receipt.Reason `db:"reason"` // receipt.Refund or receipt.Dispute
}

// returnsOf lists the refunds of payments and the disputes that were finally lost, by payment and time. These are the
// same changes for which a receipt is revised: what a bank took back beyond the gift is not included.
func returnsOf(ctx context.Context, q sqlx.QueryerContext, payments []uuid.UUID) (map[uuid.UUID][]returned, error) {
	const query = `/* statement.returnsOf */
		SELECT payment_id, at, amount, reason FROM payment_return WHERE payment_id = ANY($1::uuid[]) ORDER BY at, object_id`
	var rows []returned
	if err := sqlx.SelectContext(ctx, q, &rows, query, pg.UUIDs(payments)); err != nil {
		return nil, err
	}
	returns := make(map[uuid.UUID][]returned, len(rows))
	for _, r := range rows {
		returns[r.PaymentID] = append(returns[r.PaymentID], r)
	}
	return returns, nil
}
