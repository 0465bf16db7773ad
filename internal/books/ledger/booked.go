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

// EntryOf returns where the entry with a key is in the books; found is false if there is none.
func EntryOf(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, source, sourceID, kind string) (p Posted, found bool, err error) {
	const query = `/* ledger.EntryOf */ SELECT id, entry_date FROM journal_entry WHERE source_id = $1 AND kind = $2 AND source = $3 AND entity_id = $4`
	var rows []struct {
		ID   uuid.UUID `db:"id"`
		Date Date      `db:"entry_date"`
	}
	if err := sqlx.SelectContext(ctx, q, &rows, query, sourceID, kind, source, entity); err != nil || len(rows) == 0 {
		return p, false, err
	}
	return Posted{ID: rows[0].ID, Date: rows[0].Date}, true, nil
}
