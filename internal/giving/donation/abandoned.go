package donation

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donor"
	"konbit/internal/platform/pg"
)

// debitsTake is how long a bank debit may take before it is asked after; most end within a week.
const maxDebitTime = 10 * 24 * time.Hour

// Overdue lists up to most gifts whose end should be known before the moment: started ones whose payment page
// ran out, and bank debits on their way for too long. They come in no order, so that some that cannot be
// asked after do not always stand before the others.
func Overdue(ctx context.Context, q sqlx.QueryerContext, before time.Time, most int) ([]Donation, error) {
	const query = `/* donation.Overdue */ SELECT ` + columns + ` FROM donation
		WHERE status = 'started' AND checkout_expires_at < $1 OR status = 'processing' AND checkout_expires_at < $2
		ORDER BY random() LIMIT $3`
	var overdue []Donation
	err := sqlx.SelectContext(ctx, q, &overdue, query, before, before.Add(-maxDebitTime), most)
	return overdue, err
}

// purgeWindow is how far back a purge looks for what it, or the server, may have missed.
const purgeWindow = 60 * 24 * time.Hour

// Purge erases what was typed with gifts that were begun before the moment and never paid, and the donors
// who gave nothing else. The gifts' figures stay. It answers how many gifts were purged.
func Purge(ctx context.Context, db *sqlx.DB, before time.Time) (purged int, err error) {
	const abandoned = `/* donation.Purge */
		SELECT d.id, d.donor_id FROM donation d
		 WHERE d.status IN ('started', 'expired', 'failed') AND d.created_at BETWEEN $1 AND $2
		   AND EXISTS (SELECT 1 FROM donation_contact c WHERE c.donation_id = d.id) ORDER BY d.id LIMIT 10000`
	const contacts = `/* donation.Purge */ DELETE FROM donation_contact WHERE donation_id = ANY($1::uuid[])`
	const idle = `/* donation.Purge */
		SELECT o.id FROM unnest($1::uuid[]) AS o (id)
		 WHERE NOT EXISTS (SELECT 1 FROM donation d WHERE d.donor_id = o.id
		                    AND (d.created_at > $2 OR d.status IN ('processing', 'settled', 'held')))`
	err = pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		var rows []struct {
			ID      uuid.UUID `db:"id"`
			DonorID uuid.UUID `db:"donor_id"`
		}
		if err := tx.SelectContext(ctx, &rows, abandoned, before.Add(-purgeWindow), before); err != nil || len(rows) == 0 {
			return err
		}
		gifts, donors := make([]uuid.UUID, len(rows)), make([]uuid.UUID, len(rows))
		for i, r := range rows {
			gifts[i], donors[i] = r.ID, r.DonorID
		}
		if _, err := tx.ExecContext(ctx, contacts, pg.UUIDs(gifts)); err != nil {
			return err
		}
		var strangers []uuid.UUID
		if err := tx.SelectContext(ctx, &strangers, idle, pg.UUIDs(donors), before); err != nil {
			return err
		}
		purged = len(rows)
		return donor.EraseUnpaidTx(ctx, tx, strangers)
	})
	return purged, err
}
