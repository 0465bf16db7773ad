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

	"konbit/internal/giving/donor"
	"konbit/internal/platform/pg"
)

// ListEntry is an erasure in the list beside the backups. It contains no personal data.
type ListEntry struct {
	ID          uuid.UUID   `json:"id"`
	RequestedAt time.Time   `json:"asked_at"`
	RequestedBy string      `json:"asked_by"`
	DoneAt      time.Time   `json:"done_at"`
	Donors      []uuid.UUID `json:"donors"`
	Addresses   [][]byte    `json:"addresses"` // keyed hashes
	// EntityID is the legal entity whose staff requested it and whose donors it covers; nil for every entity.
	EntityID *uuid.UUID `json:"entity,omitempty"`
	// Of is the number of lines of the list that the entry was read from or written to, so that a list that lost its end
	// is not taken for a whole one; 0 in lists of the previous release.
	Of int `json:"of,omitempty"`
}

// ListDone returns every erasure that was done, oldest first, with the donors who were erased. A donor that the
// server's role named and did not erase is not on the list.
func ListDone(ctx context.Context, q sqlx.QueryerContext) (all []ListEntry, err error) {
	const query = `/* privacy.ListDone */ SELECT id, asked_at, asked_by, least(done_at, first_done_at) AS done_at, entity_id,
		       ARRAY(SELECT donor_id::text FROM erasure_donor d WHERE d.erasure_id = e.id AND d.erased_at IS NOT NULL ORDER BY 1) AS donors,
		       ARRAY(SELECT mac FROM erasure_address a WHERE a.erasure_id = e.id ORDER BY 1) AS macs
		  FROM erasure e WHERE done_at IS NOT NULL ORDER BY done_at, id`
	rows, err := q.QueryxContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e ListEntry
		var donors pq.StringArray
		var macs pq.ByteaArray
		if err := rows.Scan(&e.ID, &e.RequestedAt, &e.RequestedBy, &e.DoneAt, &e.EntityID, &donors, &macs); err != nil {
			return nil, err
		}
		e.Addresses = macs
		for _, text := range donors {
			id, err := uuid.Parse(text)
			if err != nil {
				return nil, err
			}
			e.Donors = append(e.Donors, id)
		}
		all = append(all, e)
	}
	return all, rows.Err()
}

// WriteList writes erasures as one JSON object per line. Each says how many lines there are.
func WriteList(to io.Writer, list []ListEntry) error {
	lines := json.NewEncoder(to)
	for _, e := range list {
		e.Of = len(list)
		if err := lines.Encode(e); err != nil {
			return err
		}
	}
	return nil
}

// ReadList reads a list that WriteList wrote. It reports an error if lines are missing.
func ReadList(from io.Reader) (list []ListEntry, err error) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 16<<20)
	for n := 1; lines.Scan(); n++ {
		var e ListEntry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.ID == uuid.Nil || e.DoneAt.IsZero() {
			return nil, fmt.Errorf("line %d is not an erasure: %w", n, err)
		}
		list = append(list, e)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	for n, e := range list {
		if e.Of != 0 && e.Of != len(list) {
			return nil, fmt.Errorf("line %d is one of %d, and there are %d: the list is not complete", n+1, e.Of, len(list))
		}
	}
	return list, nil
}

// ApplyResult counts the erasures of a list.
type ApplyResult struct {
	Erased  int // including those that were done before
	Pending int // EraseDue does them later: a recurring gift is active, a donation is on its way, or the server's role must wait
}

// Apply runs a list of erasures again, on a database restored from a backup that is older than some of them. It sends
// no emails. EraseDue does the erasures that must wait. Applying a list twice changes nothing more. The owner of the
// tables erases all people at once. For the server's role, the waiting time of each erasure begins now.
func (k Eraser) Apply(ctx context.Context, list []ListEntry) (a ApplyResult, err error) {
	for _, e := range list {
		if err := k.upsertErasure(ctx, e); err != nil {
			return a, err
		}
		err := k.Erase(ctx, e.ID)
		if err == nil {
			a.Erased++
			continue
		}
		if mustWait(err) {
			a.Pending++
			err = k.markPending(ctx, e.ID)
		}
		if err != nil {
			return a, fmt.Errorf("erasure %s: %w", e.ID, err)
		}
	}
	return a, nil
}

// markPending makes an erasure due again.
func (k Eraser) markPending(ctx context.Context, id uuid.UUID) error {
	const query = `/* privacy.markPending */ UPDATE erasure SET done_at = NULL WHERE id = $1`
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query, id)
		return err
	})
}

// upsertErasure records an erasure that the backup did not contain, or contained as pending.
func (k Eraser) upsertErasure(ctx context.Context, e ListEntry) error {
	const add = `/* privacy.upsertErasure */
		INSERT INTO erasure (id, asked_at, asked_by, language, due_at, done_at, entity_id) VALUES ($1, $2, $3, 'en', $2, $4, $5)
		ON CONFLICT (id) DO UPDATE SET done_at = coalesce(erasure.done_at, excluded.done_at), withdrawn_at = NULL, tell = NULL`
	const donors = `/* privacy.upsertErasure */
		INSERT INTO erasure_donor (erasure_id, donor_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING`
	const macs = `/* privacy.upsertErasure */ INSERT INTO erasure_address (erasure_id, mac) SELECT $1, unnest($2::bytea[]) ON CONFLICT DO NOTHING`
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, add, e.ID, e.RequestedAt, e.RequestedBy, e.DoneAt, e.EntityID); err != nil {
			return err
		}
		existing, err := donor.ByIDs(ctx, tx, e.Donors) // a backup older than a donor does not have them
		if err != nil {
			return err
		}
		ids := make([]uuid.UUID, len(existing))
		for i, d := range existing {
			ids[i] = d.ID
		}
		if _, err := tx.ExecContext(ctx, donors, e.ID, pg.UUIDs(ids)); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, macs, e.ID, pq.ByteaArray(e.Addresses))
		return err
	})
}
