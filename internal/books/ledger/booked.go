package ledger

import (
	"bytes"
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// BookedTx reports for each entry whether the books hold it already, so that a caller can stop before it decides
// anything. It reads keys and facts only. If the books hold another fact under a key, it reports fault.Conflict, as
// PostTx does.
func BookedTx(ctx context.Context, tx *sqlx.Tx, entries []Entry) ([]bool, error) {
	batch := make([]draft, len(entries))
	for i := range entries {
		batch[i].Entry = &entries[i]
	}
	booked := map[key]bookedEntry{}
	if err := findBookedTx(ctx, tx, batch, booked); err != nil {
		return nil, err
	}
	isBooked := make([]bool, len(entries))
	for i := range entries {
		entry, ok := booked[entries[i].key()]
		if hash := entries[i].Fact.hash(); ok && !bytes.Equal(entry.fact, hash[:]) {
			return nil, factConflict(entries[i].key())
		}
		isBooked[i] = ok
	}
	return isBooked, nil
}

// FundsWithPostings returns those of the funds that have a posting.
func FundsWithPostings(ctx context.Context, q sqlx.QueryerContext, funds []uuid.UUID) (used []uuid.UUID, err error) {
	const query = `/* ledger.FundsWithPostings */
		SELECT f.id FROM unnest($1::uuid[]) AS f (id) WHERE EXISTS (SELECT 1 FROM posting p WHERE p.fund_id = f.id)`
	err = sqlx.SelectContext(ctx, q, &used, query, pg.UUIDs(funds))
	return used, err
}
