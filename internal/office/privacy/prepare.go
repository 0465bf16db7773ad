package privacy

import (
	"context"
	"crypto/rand"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/pg"
)

// One-time keys, called pads, with which the database keeps the receipts of erased donors. The database must not depend
// on a copy that the server made, and what it keeps must not name the donor in a dump. So the owner makes random pads
// ahead of need and stores each with its sealed copy. erase_people adds a pad to the facts (XOR) and deletes the pad;
// only the sealed copy stays. A pad is used once.

// padSize is the length of a pad in bytes. A receipt takes as many as its facts are long: seldom more than one.
const padSize = 2048

// PadStock is how many pads Prepare leaves, and PadWarning how few are too few.
const (
	PadStock   = 1000
	PadWarning = 200
)

// Prepare fills the stock of pads up to the given number and returns how many it added. Its database connection is the
// owner's: the server's role can neither read nor write a pad.
func (k Eraser) Prepare(ctx context.Context, stock int) (added int, err error) {
	const insert = `/* privacy.Prepare */ INSERT INTO receipt_pad (pad, sealed) SELECT * FROM unnest($1::bytea[], $2::bytea[])`
	err = pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		has, err := CountPads(ctx, tx)
		if err != nil {
			return err
		}
		var pads, sealed pq.ByteaArray
		for range stock - has {
			pad := make([]byte, padSize)
			_, _ = rand.Read(pad) // documented never to fail
			box, err := k.seal(sealedPad, pad, uuid.Nil)
			if err != nil {
				return err
			}
			pads, sealed = append(pads, pad), append(sealed, box)
		}
		if added = len(pads); added == 0 {
			return nil
		}
		_, err = tx.ExecContext(ctx, insert, pads, sealed)
		return err
	})
	return added, err
}

// CountPads returns how many pads are left. The server's role may count them.
func CountPads(ctx context.Context, q sqlx.QueryerContext) (n int, err error) {
	const query = `/* privacy.CountPads */ SELECT count(id) FROM receipt_pad`
	err = sqlx.GetContext(ctx, q, &n, query)
	return n, err
}

// unmask returns what keep_receipt of the database masked.
func (k Eraser) unmask(masked []byte, sealed pq.ByteaArray) ([]byte, error) {
	var pads []byte
	for _, box := range sealed {
		pad, err := k.open(sealedPad, box, uuid.Nil)
		if err != nil {
			return nil, err
		}
		pads = append(pads, pad...)
	}
	if len(pads) < len(masked) {
		return nil, errSealed
	}
	text := make([]byte, len(masked))
	for i := range text {
		text[i] = masked[i] ^ pads[i]
	}
	return text, nil
}
