package stripebalance

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Reading says how far an entity's balance is read.
type Reading struct {
	ReadThrough  time.Time  `db:"read_through"`
	FailingSince *time.Time `db:"failing_since"` // nil: the last look succeeded
	Failure      *string    `db:"failure"`
}

// ReadingOf returns how far an entity's balance is read; nil if it was never looked at.
func ReadingOf(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID) (*Reading, error) {
	const query = `/* stripebalance.ReadingOf */ SELECT read_through, failing_since, failure FROM balance_lookup WHERE entity_id = $1`
	var found []Reading
	if err := sqlx.SelectContext(ctx, q, &found, query, entity); err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}
