package receipt

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// ChangedSince returns the donations of an entity and year for which a receipt was issued or voided after a moment,
// each once.
func ChangedSince(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, year int, since time.Time) (gifts []uuid.UUID, err error) {
	const query = `/* receipt.ChangedSince */
		SELECT donation_id FROM receipt WHERE issued_at > $3 AND entity_id = $1 AND year = $2
		UNION SELECT r.donation_id FROM receipt_void v JOIN receipt r ON r.id = v.receipt_id
		 WHERE v.voided_at > $3 AND r.entity_id = $1 AND r.year = $2`
	err = sqlx.SelectContext(ctx, q, &gifts, query, entity, year, since)
	return gifts, err
}

// ByDonations returns all receipts of donations, void ones included, in the order of their numbers.
func ByDonations(ctx context.Context, q sqlx.QueryerContext, gifts []uuid.UUID) ([]Receipt, error) {
	const query = `/* receipt.ByDonations */ ` + selected + `WHERE r.donation_id = ANY($1::uuid[]) ORDER BY r.entity_id, r.year, r.number`
	return list(ctx, q, query, pg.UUIDs(gifts))
}
