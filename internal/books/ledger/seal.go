package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

const (
	sealBatch = 2000            // entries sealed in one transaction
	sealWait  = 2 * time.Second // the longest wait for older transactions to end
)

// Seal numbers and hashes the entries that were recorded since the last seal, each in its entity's chain, and returns
// their number. It writes nothing but new rows of ledger_seal, after the commit of the entries.
//
// The order is that of the serials, and no entry is missed: a transaction has its id before it draws a serial. So when
// all transactions older than ours have ended, no entry can appear any more at or below the highest serial that was
// visible when ours began. Only entries up to that serial are sealed. Serials continue after a dump and restore, so a
// restored copy is sealed like any other. A transaction that stays open delays the seals of the entries after it.
//
// Then it adds the sealed entries to the sums of their months and days, in transactions of their own.
//
// Several processes may call it at once: one works, the others return zero.
func Seal(ctx context.Context, db *sqlx.DB) (sealed int, err error) {
	sealed, err = sealAll(ctx, db)
	return sealed, errors.Join(err, addToMonths(ctx, db), addToDays(ctx, db))
}

func sealAll(ctx context.Context, db *sqlx.DB) (sealed int, err error) {
	through, err := lastSafeSerial(ctx, db)
	if err != nil {
		return 0, err
	}
	for through > 0 {
		n := 0
		err := pg.InTx(ctx, db, func(tx *sqlx.Tx) (err error) { n, err = sealTx(ctx, tx, through); return err })
		if err != nil || n == 0 {
			return sealed, err
		}
		sealed += n
	}
	return sealed, nil
}

// lastSafeSerial returns a serial up to which every entry is visible for good. It returns 0 if nothing is to be sealed,
// or if other transactions do not end in time.
func lastSafeSerial(ctx context.Context, db *sqlx.DB) (through int64, err error) {
	const newest = `/* ledger.lastSafeSerial */
		SELECT coalesce(max(serial), 0) FROM journal_entry
		HAVING max(serial) > (SELECT coalesce(max(serial), 0) FROM ledger_seal)`
	const ours = `/* ledger.lastSafeSerial */ SELECT pg_current_xact_id()::text`
	const over = `/* ledger.lastSafeSerial */ SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8`
	var waiting []int64
	if err := db.SelectContext(ctx, &waiting, newest); err != nil || len(waiting) == 0 {
		return 0, err
	}
	err = pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		var id string
		if err := tx.GetContext(ctx, &id, ours); err != nil {
			return err
		}
		for wait, waited := time.Millisecond, time.Duration(0); waited < sealWait; wait, waited = 2*wait, waited+wait {
			var ended bool // all transactions older than ours
			if err := tx.GetContext(ctx, &ended, over, id); err != nil {
				return err
			}
			if ended {
				through = waiting[0]
				return nil
			}
			time.Sleep(wait)
		}
		return nil
	})
	return through, err
}

// sealTx seals the next entries up to a serial and returns their number; 0 if another process is sealing.
func sealTx(ctx context.Context, tx *sqlx.Tx, through int64) (int, error) {
	const lock = `/* ledger.sealTx */ SELECT pg_try_advisory_xact_lock(hashtext('konbit ledger seal'))`
	var ours bool
	if err := tx.GetContext(ctx, &ours, lock); err != nil || !ours {
		return 0, err
	}
	const last = `/* ledger.sealTx */ SELECT coalesce(max(serial), 0) FROM ledger_seal`
	var from int64
	if err := tx.GetContext(ctx, &from, last); err != nil {
		return 0, err
	}
	ends, err := heads(ctx, tx)
	if err != nil {
		return 0, err
	}
	seals, sealed := pg.NewColumns(5), 0
	var incomplete error // ends the chains before an entry that lost lines
	rows, err := tx.QueryContext(ctx, nextEntries, from, through, sealBatch)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	err = scanHashInputs(rows, func(s *hashInput) error {
		if incomplete == nil && !s.complete {
			incomplete = fmt.Errorf("ledger: entry %s does not have the lines it states; it is not sealed, and neither are the entries after it", s.entryID)
		}
		if incomplete != nil {
			return nil //nolint:nilerr // the entries before it are sealed; the error is returned if there are none
		}
		head := ends[s.entityID]
		head.N++
		head.Hash = s.seal(head.N, head.Hash)
		ends[s.entityID] = head
		seals.Add(s.entityID, head.N, s.entryID, s.serial, head.Hash[:])
		sealed++
		return nil
	})
	if err != nil || sealed == 0 {
		return 0, errors.Join(err, incomplete)
	}
	return sealed, insertSealsTx(ctx, tx, seals)
}

// insertSealsTx stores rows of entity, n, entry, serial and hash.
func insertSealsTx(ctx context.Context, tx *sqlx.Tx, seals *pg.Columns) error {
	const insert = `/* ledger.sealTx */
		INSERT INTO ledger_seal (entity_id, n, entry_id, serial, hash)
		SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[], $5::bytea[])`
	_, err := tx.ExecContext(ctx, insert, seals.Args()...)
	return err
}
