package many

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/office/figures"
	"konbit/internal/platform/pg"
)

// PerTx is the number of gifts written in one transaction.
const PerTx = 5_000

// Fill adds settled gifts to a migrated database with organisations. db connects as the tables' owner; no
// other program may write at the same time. The gifts are spread over all open funds of organisations that
// pay their fees, thirty seconds apart, so that a million gifts are a year. The first gift is 400 days old; a
// later call continues after the last one. All proceeds are paid out, so that Stripe's balance does not
// include them. Amounts and names follow from seed.
//
// Triggers and foreign keys are removed while rows are written. The keys are checked when they are restored.
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
	rules, err := dropRules(ctx, db)
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
	if back := rules.restore(ctx, db); err == nil {
		err = back
	}
	if err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `ANALYZE`)
		return err
	})
}

// mostGifts is the number of gifts in 400 days, thirty seconds apart.
const mostGifts = 400 * 24 * 60 * 2

//go:embed names.sql
var names string

//go:embed fill.sql
var fill string

// add writes gifts; before is the number of existing ones.
func add(ctx context.Context, db *sqlx.DB, before, gifts int, seed uint64) error {
	err := pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, fmt.Sprintf(`
			SET LOCAL konbit.before = '%d';
			SET LOCAL konbit.gifts = '%d';
			SET LOCAL konbit.seed = '%d';
			SET LOCAL synchronous_commit = off;
			SET LOCAL work_mem = '64MB';
			%s %s`, before, gifts, seed, names, fill))
		return err
	})
	if err != nil {
		return fmt.Errorf("many: %w", err)
	}
	return nil
}

// seal seals the books and updates their balances and sums, as the server does.
func seal(ctx context.Context, db *sqlx.DB) error {
	if _, err := ledger.Seal(ctx, db); err != nil {
		return err
	}
	if _, err := ledger.TakeSnapshots(ctx, db, ledger.SnapshotAfter); err != nil {
		return err
	}
	_, err := figures.Refresh(ctx, db)
	return err
}
