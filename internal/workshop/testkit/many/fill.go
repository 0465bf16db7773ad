package many

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/pg"
)

// PerTx is how many gifts are written in one transaction.
const PerTx = 5_000

// Fill adds so many settled gifts to a migrated database in which organisations were set up. db is the tables' owner, and nobody else
// writes meanwhile. The gifts are spread over all open funds of organisations that bear their fees, thirty seconds apart, so that a
// million are a year; the first is 400 days old, and those of a later call follow. What they brought is paid out, so that Stripe holds
// nothing of it. Amounts and names follow from seed.
//
// Triggers and foreign keys are out of the way while rows are written; the keys are checked when they are put back.
func Fill(ctx context.Context, db *sqlx.DB, gifts int, seed uint64) (err error) {
	var before, funds int
	if err := db.GetContext(ctx, &before, `SELECT count(*) FROM donation`); err != nil {
		return err
	}
	if err := db.GetContext(ctx, &funds, `SELECT count(*) FROM fund WHERE organisation_id IS NOT NULL AND closed_at IS NULL`); err != nil {
		return err
	}
	if before+gifts > mostGifts || funds == 0 {
		return fmt.Errorf("many: %d gifts in %d funds: want at most %d, and at least one fund", before+gifts, funds, mostGifts)
	}
	rules, err := lift(ctx, db)
	if err != nil {
		return err
	}
	sealed := make(chan error, 1) // a batch is sealed while the next one is written
	sealed <- nil
	for done := 0; done < gifts && err == nil; done += PerTx {
		if err = errors.Join(add(ctx, db, before+done, min(PerTx, gifts-done), seed), <-sealed); err == nil {
			go func() { sealed <- seal(ctx, db) }()
		}
	}
	if err == nil {
		err = <-sealed
	}
	if back := rules.putBack(ctx, db); err == nil {
		err = back
	}
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `ANALYZE`)
	return err
}

// mostGifts are as many as lie thirty seconds apart within 400 days.
const mostGifts = 400 * 24 * 60 * 2

//go:embed fill.sql
var fill string

// add writes the gifts behind the first `before`.
func add(ctx context.Context, db *sqlx.DB, before, gifts int, seed uint64) error {
	err := pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, fmt.Sprintf(`
			SET LOCAL konbit.before = '%d';
			SET LOCAL konbit.gifts = '%d';
			SET LOCAL konbit.seed = '%d';
			SET LOCAL synchronous_commit = off;
			SET LOCAL work_mem = '64MB';
			%s`, before, gifts, seed, fill))
		return err
	})
	if err != nil {
		return fmt.Errorf("many: %w", err)
	}
	return nil
}

// seal seals and keeps balances as the server does.
func seal(ctx context.Context, db *sqlx.DB) error {
	if _, err := ledger.Seal(ctx, db); err != nil {
		return err
	}
	_, err := ledger.TakeSnapshots(ctx, db, ledger.SnapshotAfter)
	return err
}
