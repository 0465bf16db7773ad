package many

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// tables lists the tables that Fill writes.
const tables = `'{donor,donation,checkout,payment,donation_contact,designation,donation_step,stripe_event,journal_entry,posting,payment_share,clearing_share,balance_transaction,receipt,receipt_counter,letter,letter_delivery}'::regclass[]`

// rules are statements that restore the removed foreign keys and triggers.
type rules []string

// dropRules removes the foreign keys of the tables and disables their triggers.
func dropRules(ctx context.Context, db *sqlx.DB) (rules, error) {
	const keys = `SELECT conrelid::regclass AS of, conname AS name, pg_get_constraintdef(oid) AS definition
		FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND conrelid = ANY (` + tables + `) ORDER BY oid`
	const users = `SELECT DISTINCT tgrelid::regclass AS of FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = ANY (` + tables + `)`
	var found []struct{ Of, Name, Definition string }
	var resting []string
	if err := errors.Join(db.SelectContext(ctx, &found, keys), db.SelectContext(ctx, &resting, users)); err != nil {
		return nil, err
	}
	var away, back []string
	for _, k := range found {
		away = append(away, fmt.Sprintf(`ALTER TABLE %s DROP CONSTRAINT %s`, k.Of, k.Name))
		back = append(back, fmt.Sprintf(`ALTER TABLE %s ADD CONSTRAINT %s %s`, k.Of, k.Name, k.Definition))
	}
	for _, table := range resting {
		away = append(away, fmt.Sprintf(`ALTER TABLE %s DISABLE TRIGGER USER`, table))
		back = append(back, fmt.Sprintf(`ALTER TABLE %s ENABLE TRIGGER USER`, table))
	}
	return back, all(ctx, db, away)
}

// restore restores them. It reports an error if a row breaks a foreign key.
func (r rules) restore(ctx context.Context, db *sqlx.DB) error {
	return all(context.WithoutCancel(ctx), db, r)
}

func all(ctx context.Context, db *sqlx.DB, statements []string) error {
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL work_mem = '128MB'; `+strings.Join(statements, "; "))
		return err
	})
}
