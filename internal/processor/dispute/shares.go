package dispute

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Share is what a step of a dispute did to a fund.
type Share struct {
	FundID *uuid.UUID `db:"fund_id"` // nil: operations, what is beyond the gift
	Step   string     `db:"step"`    // withdrawn, won or lost
	Minor  int64      `db:"amount"`
}

// Shares returns what a dispute withheld from each fund, gave back, or took for good, in the order in which it happened.
func Shares(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, ref string) (all []Share, err error) {
	const query = `/* dispute.Shares */ SELECT fund_id, step, amount FROM dispute_share WHERE ref = $1 AND entity_id = $2 ORDER BY at, step, fund_id`
	err = sqlx.SelectContext(ctx, q, &all, query, ref, entity)
	return all, err
}
