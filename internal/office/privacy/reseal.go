package privacy

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/pg"
)

// SealCount is how many sealed values of one kind name a key as their maker.
type SealCount struct {
	What  string `db:"what" json:"what"`
	KeyID string `db:"key_id" json:"key"` // id of the key (keyring.Fingerprint); "" if sealed by a release before keys had ids
	N     int    `db:"n" json:"n"`
}

// CountSeals returns how many sealed values each key made. The server's role may count them.
func CountSeals(ctx context.Context, q sqlx.QueryerContext) (all []SealCount, err error) {
	const query = `/* privacy.CountSeals */ SELECT what, key_id, n FROM sealed_by_key ORDER BY what, key_id`
	return all, sqlx.SelectContext(ctx, q, &all, query)
}

// CountPendingSince returns how many erasures are pending that the database recorded before a time. Their addresses are
// hashed with the key of that time, and are found only while it is in the ring.
func CountPendingSince(ctx context.Context, q sqlx.QueryerContext, before time.Time) (n int, err error) {
	const query = `/* privacy.CountPendingSince */
		SELECT count(*) FROM erasure WHERE done_at IS NULL AND withdrawn_at IS NULL AND recorded_at < $1`
	err = sqlx.GetContext(ctx, q, &n, query, before)
	return n, err
}

// CountRecordedBefore returns how many erasures the database recorded before a time and were not withdrawn. Their
// addresses are hashed with the key of their time: only while it is in the ring, the daily check and the list of erasures
// find rows that contain such an address again.
func CountRecordedBefore(ctx context.Context, q sqlx.QueryerContext, before time.Time) (n int, err error) {
	const query = `/* privacy.CountRecordedBefore */ SELECT count(*) FROM erasure WHERE withdrawn_at IS NULL AND recorded_at < $1`
	err = sqlx.GetContext(ctx, q, &n, query, before)
	return n, err
}

// sealedColumn is a column of sealed values. Each row has an array of them.
type sealedColumn struct {
	purpose string
	// rows selects the first rows after key $1 with a value that does not begin with $2: at most $3 rows. A column plain
	// is what the row's one value contains, if the owner can read it: then no old key is needed to seal it again.
	rows string
	// update sets the values of the row with key $1 to $2 if they are still $3.
	update string
}

// sealedColumns lists all sealed values. View sealed_by_key counts the same.
var sealedColumns = []sealedColumn{
	{sealedPad, `/* privacy.sealedColumns */
		SELECT id::text AS key, NULL::uuid AS about, ARRAY[sealed] AS sealed, pad AS plain FROM receipt_pad
		 WHERE id::text COLLATE "C" > $1 AND substr(sealed, 1, 8) <> $2 ORDER BY id::text COLLATE "C" LIMIT $3`,
		`/* privacy.sealedColumns */
		UPDATE receipt_pad SET sealed = ($2::bytea[])[1] WHERE id = $1::bigint AND sealed = ($3::bytea[])[1]`},
	{sealedPad, `/* privacy.sealedColumns */
		SELECT receipt_id::text AS key, NULL::uuid AS about, pads AS sealed FROM receipt_kept
		 WHERE receipt_id::text COLLATE "C" > $1 AND EXISTS (SELECT 1 FROM unnest(pads) p WHERE substr(p, 1, 8) <> $2)
		 ORDER BY receipt_id::text COLLATE "C" LIMIT $3`,
		`/* privacy.sealedColumns */
		UPDATE receipt_kept SET pads = $2::bytea[] WHERE receipt_id = $1::uuid AND pads = $3::bytea[]`},
	{sealedReceipt, `/* privacy.sealedColumns */
		SELECT receipt_id::text AS key, receipt_id AS about, ARRAY[sealed] AS sealed FROM receipt_hold
		 WHERE receipt_id::text COLLATE "C" > $1 AND substr(sealed, 1, 8) <> $2 ORDER BY receipt_id::text COLLATE "C" LIMIT $3`,
		`/* privacy.sealedColumns */
		UPDATE receipt_hold SET sealed = ($2::bytea[])[1] WHERE receipt_id = $1::uuid AND sealed = ($3::bytea[])[1]`},
	{sealedRecipient, `/* privacy.sealedColumns */
		SELECT id::text AS key, id AS about, ARRAY[tell] AS sealed FROM erasure
		 WHERE id::text COLLATE "C" > $1 AND substr(tell, 1, 8) <> $2 ORDER BY id::text COLLATE "C" LIMIT $3`,
		`/* privacy.sealedColumns */
		UPDATE erasure SET tell = ($2::bytea[])[1] WHERE id = $1::uuid AND tell = ($3::bytea[])[1]`},
}

// resealBatch is how many rows one transaction seals again, so that an erasure waits for it only briefly.
const resealBatch = 50

// Resealed counts values that Reseal found under another key than the current one.
type Resealed struct {
	Sealed   int `json:"sealed"`   // again, with the current key
	Unopened int `json:"unopened"` // their key is not in the ring, or they are no seals
}

// Reseal seals with the current key what other keys sealed. A value that changes meanwhile is left to the next call. Its
// database connection is the owner's.
func (k Eraser) Reseal(ctx context.Context) (r Resealed, err error) {
	for _, c := range sealedColumns {
		for after, more := "", true; more; {
			err := pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
				var did Resealed
				last, err := k.resealTx(ctx, tx, c, after, &did)
				if err == nil {
					after, more = last, last != ""
					r.Sealed, r.Unopened = r.Sealed+did.Sealed, r.Unopened+did.Unopened
				}
				return err
			})
			if err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

// resealTx seals the values of one batch of rows and returns the key of the last row; "" if there was none.
func (k Eraser) resealTx(ctx context.Context, tx *sqlx.Tx, c sealedColumn, after string, did *Resealed) (last string, err error) {
	var rows []struct {
		Key    string        `db:"key"`
		About  uuid.NullUUID `db:"about"`
		Sealed pq.ByteaArray `db:"sealed"`
		Plain  []byte        `db:"plain"`
	}
	if err := tx.SelectContext(ctx, &rows, c.rows, after, k.Keys.SealPrefix(), resealBatch); err != nil {
		return "", err
	}
	for _, row := range rows {
		last = row.Key
		texts, err := k.texts(c.purpose, row.Sealed, row.Plain, row.About.UUID)
		if err != nil {
			did.Unopened++
			continue
		}
		again, err := k.sealAll(c.purpose, texts, row.About.UUID)
		if err != nil {
			return "", err
		}
		if _, err := tx.ExecContext(ctx, c.update, row.Key, again, row.Sealed); err != nil {
			return "", err
		}
		did.Sealed++
	}
	return last, nil
}

// texts returns what sealed values contain: plain, unless it is nil.
func (k Eraser) texts(purpose string, sealed pq.ByteaArray, plain []byte, about uuid.UUID) (texts [][]byte, err error) {
	if plain != nil {
		return [][]byte{plain}, nil
	}
	for _, value := range sealed {
		text, err := k.open(purpose, value, about)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// sealAll seals texts with the current key.
func (k Eraser) sealAll(purpose string, texts [][]byte, about uuid.UUID) (sealed pq.ByteaArray, err error) {
	for _, text := range texts {
		value, err := k.seal(purpose, text, about)
		if err != nil {
			return nil, err
		}
		sealed = append(sealed, value)
	}
	return sealed, nil
}
