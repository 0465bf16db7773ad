package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Head is the end of an entity's chain at some time: the number of sealed entries and the hash of the last one.
type Head struct {
	EntityID uuid.UUID
	N        int64
	Hash     [sha256.Size]byte
}

// Hex returns the hash as the auditors read it.
func (h Head) Hex() string { return hex.EncodeToString(h.Hash[:]) }

// ParseHead reads "N:HASH", a number and 64 hexadecimal digits, as in the email to the auditors.
func ParseHead(entityID uuid.UUID, text string) (Head, error) {
	number, digits, _ := strings.Cut(text, ":")
	n, err := strconv.ParseInt(number, 10, 64)
	hash, hashErr := hex.DecodeString(digits)
	if err != nil || hashErr != nil || n < 1 || len(hash) != sha256.Size {
		return Head{}, fmt.Errorf("ledger: %q is not a head: want N:HASH, a number and 64 hexadecimal digits", text)
	}
	return Head{entityID, n, [sha256.Size]byte(hash)}, nil
}

// RecordedHead is a head as recorded on one day. It is written once.
type RecordedHead struct {
	Head
	ID           uuid.UUID
	Day          Date      // in the entity's time zone
	TrialBalance int64     // sum of all postings up to it, in minor units: zero unless the books are damaged
	At           time.Time // when it was recorded
}

// RecordHeadTx records the head of the entity's chain as that of the day. It returns nil if the day has one, or if
// nothing is sealed yet.
func RecordHeadTx(ctx context.Context, tx *sqlx.Tx, entityID uuid.UUID, day Date, newID func() uuid.UUID, now time.Time) (recorded *RecordedHead, err error) {
	const insert = `/* ledger.RecordHeadTx */
		INSERT INTO ledger_head (id, entity_id, day, n, hash, trial_balance, kept_at)
		SELECT $1, s.entity_id, $3, s.n, s.hash,
		       (SELECT coalesce(sum(p.amount), 0) FROM posting p WHERE p.entity_id = s.entity_id AND p.serial <= s.serial), $4
		  FROM (SELECT entity_id, n, hash, serial FROM ledger_seal WHERE entity_id = $2 ORDER BY n DESC LIMIT 1) s
		 WHERE NOT EXISTS (SELECT FROM ledger_head WHERE entity_id = $2 AND day = $3)
		ON CONFLICT (entity_id, day) DO NOTHING
		RETURNING id, entity_id, day, n, hash, trial_balance, kept_at`
	recorded, err = scanHead(tx.QueryRowContext(ctx, insert, newID(), entityID, day.String(), now))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return recorded, err
}

// HeadByID returns a recorded head.
func HeadByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (*RecordedHead, error) {
	const query = `/* ledger.HeadByID */ SELECT id, entity_id, day, n, hash, trial_balance, kept_at FROM ledger_head WHERE id = $1`
	return scanHead(q.QueryRowxContext(ctx, query, id))
}

// HeadOfDay returns the head that was recorded as that of a day; nil if there is none.
func HeadOfDay(ctx context.Context, q sqlx.QueryerContext, entityID uuid.UUID, day Date) (*RecordedHead, error) {
	const query = `/* ledger.HeadOfDay */ SELECT id, entity_id, day, n, hash, trial_balance, kept_at FROM ledger_head WHERE entity_id = $1 AND day = $2`
	head, err := scanHead(q.QueryRowxContext(ctx, query, entityID, day.String()))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return head, err
}

func scanHead(row interface{ Scan(into ...any) error }) (*RecordedHead, error) {
	var h RecordedHead
	var hash []byte
	if err := row.Scan(&h.ID, &h.EntityID, &h.Day, &h.N, &hash, &h.TrialBalance, &h.At); err != nil {
		return nil, err
	}
	copy(h.Hash[:], hash)
	return &h, nil
}

// recordedHeads returns all recorded heads: one per entity and day.
func recordedHeads(ctx context.Context, q sqlx.QueryerContext) (all []Head, err error) {
	const query = `/* ledger.recordedHeads */ SELECT entity_id, n, hash FROM ledger_head ORDER BY kept_at`
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return scanHeads(rows)
}

// heads returns the ends of the chains that have begun, by entity.
func heads(ctx context.Context, q sqlx.QueryerContext) (map[uuid.UUID]Head, error) {
	const query = `/* ledger.heads */
		SELECT b.entity_id, s.n, s.hash
		  FROM books b CROSS JOIN LATERAL (SELECT n, hash FROM ledger_seal WHERE entity_id = b.entity_id ORDER BY n DESC LIMIT 1) s`
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	list, err := scanHeads(rows)
	all := make(map[uuid.UUID]Head, len(list))
	for _, h := range list {
		all[h.EntityID] = h
	}
	return all, err
}

func scanHeads(rows *sql.Rows) (all []Head, err error) {
	defer rows.Close()
	for rows.Next() {
		var h Head
		var hash []byte
		if err := rows.Scan(&h.EntityID, &h.N, &hash); err != nil {
			return nil, err
		}
		copy(h.Hash[:], hash)
		all = append(all, h)
	}
	return all, rows.Err()
}
