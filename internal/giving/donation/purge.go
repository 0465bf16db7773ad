package donation

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donor"
	"konbit/internal/platform/pg"
)

// purgeWindow is how far back Purge looks, for donations that earlier runs missed.
const purgeWindow = 60 * 24 * time.Hour

// Purge deletes the contact data of donations that were begun before `before` and never paid, and erases the donors who
// have no other donation. The donations' amounts stay. It returns how many donations were purged.
func Purge(ctx context.Context, db *sqlx.DB, before time.Time) (purged int, err error) {
	const abandoned = `/* donation.Purge */
		SELECT d.id, d.donor_id FROM donation d
		 WHERE d.status IN ('started', 'expired', 'failed') AND d.created_at BETWEEN $1 AND $2
		   AND EXISTS (SELECT 1 FROM donation_contact c WHERE c.donation_id = d.id) ORDER BY d.id LIMIT 10000 FOR SHARE OF d SKIP LOCKED`
	const contacts = `/* donation.Purge */ DELETE FROM donation_contact WHERE donation_id = ANY($1::uuid[])`
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
		// Donations are locked first, as settling does: the database refuses to delete what was typed with a paid one.
		// Donors are locked before contacts, as an erasure does. A donor who began a donation meanwhile is not idle
		// after the lock; a form that comes later adds the donor again.
		unpaid, err := idleDonorsTx(ctx, tx, donors, before)
		if err != nil {
			return err
		}
		if err := donor.LockForErasureTx(ctx, tx, unpaid); err != nil {
			return err
		}
		if unpaid, err = idleDonorsTx(ctx, tx, unpaid, before); err != nil {
			return err
		}
		if err := donor.EraseUnpaidTx(ctx, tx, unpaid); err != nil {
			return err
		}
		purged = len(rows)
		_, err = tx.ExecContext(ctx, contacts, pg.UUIDs(gifts))
		return err
	})
	return purged, err
}

// idleDonorsTx returns those of the donors who have no donation that was paid or is newer than `before`.
func idleDonorsTx(ctx context.Context, tx *sqlx.Tx, donors []uuid.UUID, before time.Time) (unpaid []uuid.UUID, err error) {
	const query = `/* donation.idleDonorsTx */
		SELECT DISTINCT o.id FROM unnest($1::uuid[]) AS o (id)
		 WHERE NOT EXISTS (SELECT 1 FROM donation d WHERE d.donor_id = o.id
		                    AND (d.created_at > $2 OR d.status IN ('processing', 'settled', 'held')))`
	err = tx.SelectContext(ctx, &unpaid, query, pg.UUIDs(donors), before)
	return unpaid, err
}
