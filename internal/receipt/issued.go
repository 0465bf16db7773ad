package receipt

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Issued answers how many receipts each legal entity has ever issued: numbers have no gaps.
func Issued(ctx context.Context, q sqlx.QueryerContext) (map[uuid.UUID]int, error) {
	const query = `/* receipt.Issued */ SELECT entity_id, sum(last) AS issued FROM receipt_counter GROUP BY entity_id`
	var rows []struct {
		EntityID uuid.UUID `db:"entity_id"`
		Issued   int       `db:"issued"`
	}
	err := sqlx.SelectContext(ctx, q, &rows, query)
	issued := make(map[uuid.UUID]int, len(rows))
	for _, r := range rows {
		issued[r.EntityID] = r.Issued
	}
	return issued, err
}
