package setup

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/giving/receipt"
	"konbit/internal/office/bank"
	"konbit/internal/platform/pg"
)

// Apply changes the database to match the file, in one transaction, and returns what it changed. A dry run returns the
// same and writes nothing. Concurrent calls run one after the other. Applying the same file again changes nothing and
// writes no row. If the file cannot be applied, the error is Problems and nothing is written.
//
// Each new entity gets its books and its operations fund. newID returns ids for new rows; now is the time of the
// change.
func Apply(ctx context.Context, db *sqlx.DB, file *File, now time.Time, newID func() uuid.UUID, dryRun bool) (Result, error) {
	var result Result
	err := pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		if err := lockTx(ctx, tx); err != nil {
			return err
		}
		before, err := readStored(ctx, tx)
		if err != nil {
			return err
		}
		p := newPlan(file, before, now, newID)
		used, err := usedFunds(ctx, tx, p.leftOut)
		if err != nil {
			return err
		}
		p.closeLeftOut(used)
		issued, err := receipt.IssuedPrefixes(ctx, tx, p.prefixes())
		if err != nil {
			return err
		}
		p.checkPrefixes(issued)
		if err := p.report.problems.err(); err != nil {
			return err
		}
		result = p.result
		if dryRun {
			return nil
		}
		return p.writeTx(ctx, tx)
	})
	if err != nil {
		return Result{}, err
	}
	return result, nil
}

// writeTx writes the rows of the plan. A row is written after the rows that it refers to.
func (p *plan) writeTx(ctx context.Context, tx *sqlx.Tx) error {
	for _, e := range p.writeEntities {
		if err := org.UpsertEntityTx(ctx, tx, e, p.now); err != nil {
			return err
		}
		if p.newEntities[e.ID] {
			if err := ledger.OpenBooksTx(ctx, tx, e.ID, e.Currency); err != nil {
				return err
			}
		}
	}
	for _, a := range p.writeAccounts {
		if err := bank.UpsertAccountTx(ctx, tx, a, p.now); err != nil {
			return err
		}
	}
	for _, o := range p.writeOrganisations {
		if err := org.UpsertOrganisationTx(ctx, tx, o, p.now); err != nil {
			return err
		}
	}
	for _, f := range p.writeFunds {
		if err := fund.UpsertTx(ctx, tx, f, p.now); err != nil {
			return err
		}
	}
	return nil
}
