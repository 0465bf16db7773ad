package privacy

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/pg"
)

// Entry is an erasure as the list beside the backups has it: it names nobody.
type Entry struct {
	ID        uuid.UUID   `json:"id"`
	AskedAt   time.Time   `json:"asked_at"`
	AskedBy   string      `json:"asked_by"`
	DoneAt    time.Time   `json:"done_at"`
	Donors    []uuid.UUID `json:"donors"`
	Addresses [][]byte    `json:"addresses"` // keyed hashes
}

// WriteList writes every erasure that was done, one JSON object to a line, oldest first.
func WriteList(ctx context.Context, q sqlx.QueryerContext, to io.Writer) error {
	const query = `/* privacy.WriteList */ SELECT id, asked_at, asked_by, done_at,
		       ARRAY(SELECT donor_id::text FROM erasure_donor d WHERE d.erasure_id = e.id ORDER BY 1) AS donors,
		       ARRAY(SELECT mac FROM erasure_address a WHERE a.erasure_id = e.id ORDER BY 1) AS macs
		  FROM erasure e WHERE done_at IS NOT NULL ORDER BY done_at, id`
	rows, err := q.QueryxContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	lines := json.NewEncoder(to)
	for rows.Next() {
		var e Entry
		var donors pq.StringArray
		var macs pq.ByteaArray
		if err := rows.Scan(&e.ID, &e.AskedAt, &e.AskedBy, &e.DoneAt, &donors, &macs); err != nil {
			return err
		}
		e.Addresses = macs
		for _, text := range donors {
			id, err := uuid.Parse(text)
			if err != nil {
				return err
			}
			e.Donors = append(e.Donors, id)
		}
		if err := lines.Encode(e); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Apply does a list of erasures again, on a database that was restored from a backup older than some of them, and answers how many
// it read. Nobody is written to. Doing it twice does nothing more.
func (k Keeper) Apply(ctx context.Context, list io.Reader) (applied int, err error) {
	lines := bufio.NewScanner(list)
	lines.Buffer(nil, 16<<20)
	for n := 1; lines.Scan(); n++ {
		var e Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.ID == uuid.Nil {
			return applied, fmt.Errorf("line %d is no erasure: %w", n, err)
		}
		if err := k.note(ctx, e); err != nil {
			return applied, err
		}
		if err := k.Do(ctx, e.ID); err != nil {
			return applied, fmt.Errorf("erasure %s: %w", e.ID, err)
		}
		applied++
	}
	return applied, lines.Err()
}

// note makes the erasure known again where the backup did not have it, or had it waiting.
func (k Keeper) note(ctx context.Context, e Entry) error {
	const add = `/* privacy.note */
		INSERT INTO erasure (id, asked_at, asked_by, language, due_at, done_at) VALUES ($1, $2, $3, 'en', $2, $4)
		ON CONFLICT (id) DO UPDATE SET done_at = coalesce(erasure.done_at, excluded.done_at), withdrawn_at = NULL, tell = NULL`
	const donors = `/* privacy.note */
		INSERT INTO erasure_donor (erasure_id, donor_id) SELECT $1, id FROM donor WHERE id = ANY($2::uuid[]) ON CONFLICT DO NOTHING`
	const macs = `/* privacy.note */ INSERT INTO erasure_address (erasure_id, mac) SELECT $1, unnest($2::bytea[]) ON CONFLICT DO NOTHING`
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, add, e.ID, e.AskedAt, e.AskedBy, e.DoneAt); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, donors, e.ID, pg.UUIDs(e.Donors)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, macs, e.ID, pq.ByteaArray(e.Addresses))
		return err
	})
}
