package receipt

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// CountIssued returns how many receipts each legal entity has ever issued: numbers have no gaps.
func CountIssued(ctx context.Context, q sqlx.QueryerContext) (map[uuid.UUID]int, error) {
	const query = `/* receipt.CountIssued */ SELECT entity_id, sum(last) AS issued FROM receipt_counter GROUP BY entity_id`
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

// ValidOf returns the valid receipt of a donation; nil if it has none.
func ValidOf(ctx context.Context, q sqlx.QueryerContext, donation uuid.UUID) (*Receipt, error) {
	const query = `/* receipt.ValidOf */ ` + selected + `WHERE r.donation_id = $1 AND v.receipt_id IS NULL`
	valid, err := list(ctx, q, query, donation)
	if err != nil || len(valid) == 0 {
		return nil, err
	}
	return &valid[0], nil
}
