package figures

import (
	"context"
	"database/sql"

	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// refreshBatch is the number of entries, and of donors that are due, that one transaction of Refresh includes.
const refreshBatch = 5000

// Refresh recomputes the years of the donors whose gifts were sealed or changed since the last call, and returns how many
// donors. Several processes may call it at once: one works, the others return zero.
func Refresh(ctx context.Context, db *sqlx.DB) (donors int, err error) {
	const due = `/* figures.Refresh */ SELECT donor_years_behind()`
	const refresh = `/* figures.Refresh */ SELECT refresh_donor_years($1)`
	for {
		var behind bool
		if err := db.GetContext(ctx, &behind, due); err != nil || !behind {
			return donors, err
		}
		var n sql.NullInt64
		err := pg.InTx(ctx, db, func(tx *sqlx.Tx) error { return tx.GetContext(ctx, &n, refresh, refreshBatch) })
		if err != nil || !n.Valid {
			return donors, err
		}
		donors += int(n.Int64)
	}
}

// Rebuild computes donor_year anew from all gifts.
func Rebuild(ctx context.Context, db *sqlx.DB) error {
	const rebuild = `/* figures.Rebuild */ SELECT rebuild_donor_years()`
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, rebuild)
		return err
	})
}
