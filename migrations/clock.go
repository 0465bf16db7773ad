package migrations

import (
	"context"
	"database/sql"
)

// LimitClock sets how far the program's business clock may be ahead of the database's clock
// (server_limit.business_clock_lead). The connection is the owner's. With Stripe it is one day, which covers time zones
// and wrong clocks. A stand-in for Stripe moves the business clock, by years.
func LimitClock(ctx context.Context, owner *sql.DB, standIn bool) error {
	const update = `/* migrations.LimitClock */
		UPDATE server_limit SET business_clock_lead = CASE WHEN $1 THEN interval '100 years' ELSE interval '1 day' END`
	tx, err := owner.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, update, standIn); err != nil {
		return err
	}
	return tx.Commit()
}
