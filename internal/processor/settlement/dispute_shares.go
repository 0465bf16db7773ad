package settlement

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// DisputeShare is what a step of a dispute did to a fund.
type DisputeShare struct {
	FundID uuid.UUID `db:"fund_id"` // uuid.Nil: operations, what is beyond the gift
	Step   string    `db:"step"`    // withdrawn, won or lost
	Amount int64     `db:"amount"`  // minor units
}

// DisputeShares returns what a dispute withheld from each fund, gave back, or took for good, in the order in which it happened.
func DisputeShares(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, dispute string) (all []DisputeShare, err error) {
	const query = `/* settlement.DisputeShares */
		SELECT s.fund_id, s.step, s.amount FROM (
		    SELECT p.fund_id, replace(h.kind, 'dispute ', '') AS step, p.amount + p.owed AS amount, h.at
		      FROM payment_change h JOIN payment_change_share p ON p.object_id = h.object_id AND p.kind = h.kind AND p.entity_id = h.entity_id
		     WHERE h.object_id = $1 AND h.entity_id = $2
		    UNION ALL
		    SELECT $3::uuid, replace(h.kind, 'dispute ', ''), h.beyond, h.at FROM payment_change h WHERE h.object_id = $1 AND h.entity_id = $2 AND h.beyond > 0) s
		 WHERE s.amount > 0 AND s.step IN ('withdrawn', 'won', 'lost') ORDER BY s.at, s.step, s.fund_id`
	err = sqlx.SelectContext(ctx, q, &all, query, dispute, entity, uuid.Nil)
	return all, err
}
