package audit

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/pg"
)

// Seal seals the entries that were committed since the last call and returns their number. The database numbers and
// hashes them. Several processes may call it at once: one works, the others return zero.
func Seal(ctx context.Context, db *sqlx.DB) (sealed int, err error) {
	const waiting = `/* audit.Seal */ SELECT EXISTS (SELECT FROM audit_unsealed)`
	const seal = `/* audit.Seal */ SELECT seal_audit_entries()`
	for {
		var some bool
		if err := db.GetContext(ctx, &some, waiting); err != nil || !some {
			return sealed, err
		}
		n := 0
		if err := pg.InTx(ctx, db, func(tx *sqlx.Tx) error { return tx.GetContext(ctx, &n, seal) }); err != nil || n == 0 {
			return sealed, err
		}
		sealed += n
	}
}

// Head is the end of the chain of seals at some time: the number of sealed entries and the hash of the last one.
type Head struct {
	N    int64
	Hash [sha256.Size]byte
}

func (h Head) String() string { return fmt.Sprintf("%d:%s", h.N, hex.EncodeToString(h.Hash[:])) }

// ParseHead reads "N:HASH", a number and 64 hexadecimal digits, as in the email to the auditors.
func ParseHead(text string) (Head, error) {
	h, err := ledger.ParseHead(uuid.Nil, text)
	if err != nil {
		return Head{}, fmt.Errorf("audit: %q is not a head: want N:HASH, a number and 64 hexadecimal digits", text)
	}
	return Head{h.N, h.Hash}, nil
}

// RecordHeadTx records the head of the chain as that of an entity's day, unless the day has one or nothing is sealed.
func RecordHeadTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, day ledger.Date) error {
	const insert = `/* audit.RecordHeadTx */ INSERT INTO audit_head (entity_id, day) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	_, err := tx.ExecContext(ctx, insert, entity, day.String())
	return err
}

// HeadsOfDay returns the head that was recorded for an entity's day, and the one recorded before it; nil if there is
// none.
func HeadsOfDay(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, day ledger.Date) (head, previous *Head, err error) {
	const of = `/* audit.HeadsOfDay */ SELECT n, hash FROM audit_head WHERE entity_id = $1 AND day = $2`
	const before = `/* audit.HeadsOfDay */ SELECT n, hash FROM audit_head WHERE entity_id = $1 AND day < $2 ORDER BY day DESC LIMIT 1`
	if head, err = scanHead(q.QueryRowxContext(ctx, of, entity, day.String())); err != nil || head == nil {
		return nil, nil, err
	}
	previous, err = scanHead(q.QueryRowxContext(ctx, before, entity, day.String()))
	return head, previous, err
}

func scanHead(row *sqlx.Row) (*Head, error) {
	var h Head
	var hash []byte
	if err := row.Scan(&h.N, &hash); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return nil, err
	}
	copy(h.Hash[:], hash)
	return &h, nil
}

// SealWithin is how long after its commit an entry is sealed at the latest, unless something is wrong.
const SealWithin = 5 * time.Minute
