package receipt

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// IssuedPrefix says that an entity has issued receipts whose numbers begin with a prefix.
type IssuedPrefix struct {
	EntityID uuid.UUID `db:"entity_id"`
	Prefix   string    `db:"prefix"`
}

// IssuedPrefixes returns which of the prefixes entities have issued receipts with, today or under an earlier setting. It
// reads every receipt, so it is only for a change of a setting.
func IssuedPrefixes(ctx context.Context, q sqlx.QueryerContext, prefixes []string) (issued []IssuedPrefix, err error) {
	const query = `/* receipt.IssuedPrefixes */
		SELECT DISTINCT r.entity_id, upper(coalesce(r.facts->>'receipt_prefix', r.facts->>'entity_slug')) AS prefix FROM receipt r
		 WHERE upper(coalesce(r.facts->>'receipt_prefix', r.facts->>'entity_slug')) = ANY($1::text[]) ORDER BY prefix, entity_id`
	if len(prefixes) == 0 {
		return nil, nil
	}
	err = sqlx.SelectContext(ctx, q, &issued, query, pq.Array(prefixes))
	return issued, err
}
