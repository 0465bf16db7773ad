package privacy

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/receipt"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/pg"
)

// retentionYears is how many years after its year a receipt is kept in full; see the package's documentation.
const retentionYears = 7

// retentionReason is stored with each sealed copy.
const retentionReason = "tax law: records of contributions are shown on request for seven years"

// Erase erases the people of one erasure in one transaction, and enqueues the last email and the deletions at Stripe.
// Called again, it erases what is there again. It returns fault.Conflict as CheckErasable does.
func (k Eraser) Erase(ctx context.Context, id uuid.UUID) error {
	const end = `/* privacy.Erase */ UPDATE erasure SET done_at = coalesce(done_at, $2) WHERE id = $1`
	const erase = `/* privacy.Erase */ SELECT erase_people($1, $2)`
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		e, donors, err := readTx(ctx, tx, id)
		if err != nil || e.WithdrawnAt != nil {
			return err
		}
		if err := CheckErasable(ctx, tx, donors); err != nil {
			return err
		}
		addresses, err := k.addressesTx(ctx, tx, e)
		if err != nil {
			return err
		}
		if err := k.sealReceiptsTx(ctx, tx, id, donors); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, erase, id, pq.Array(addresses)); err != nil {
			return err
		}
		if err := k.enqueueCustomersTx(ctx, tx, donors); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, end, id, k.Now()); err != nil || e.SealedRecipient == nil {
			return err
		}
		return k.Queue.EnqueueTx(ctx, tx, CompletedEmailJob{id})
	})
}

// readTx reads an erasure and locks its donors, so that a donation settles either before or after the erasure.
func readTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID) (e Erasure, donors []uuid.UUID, err error) {
	const query = `/* privacy.readTx */ SELECT ` + columns + ` FROM erasure WHERE id = $1 FOR UPDATE`
	const of = `/* privacy.readTx */ SELECT donor_id FROM erasure_donor WHERE erasure_id = $1 ORDER BY donor_id`
	if err = tx.GetContext(ctx, &e, query, id); err != nil {
		return e, nil, err
	}
	if err = tx.SelectContext(ctx, &donors, of, id); err != nil {
		return e, nil, err
	}
	return e, donors, donor.LockTx(ctx, tx, donors)
}

// addressesTx returns the proved addresses that match the erasure's hashes, also those without a donation. An address
// that was proved again after the erasure belongs to a new person and is left out.
func (k Eraser) addressesTx(ctx context.Context, tx *sqlx.Tx, e Erasure) (addresses []string, err error) {
	const hashed = `/* privacy.addressesTx */ SELECT mac FROM erasure_address WHERE erasure_id = $1`
	var macs [][]byte
	if err := tx.SelectContext(ctx, &macs, hashed, e.ID); err != nil || len(macs) == 0 {
		return []string{}, err
	}
	wanted := map[string]bool{}
	for _, mac := range macs {
		wanted[string(mac)] = true
	}
	all, err := donoraccess.ProvedBefore(ctx, tx, e.DoneAt)
	if err != nil {
		return nil, err
	}
	addresses = []string{}
	for _, email := range all {
		if wanted[string(k.mac(email))] {
			addresses = append(addresses, email)
		}
	}
	return addresses, nil
}

// sealReceiptsTx stores a sealed copy of each receipt that the law still requires.
func (k Eraser) sealReceiptsTx(ctx context.Context, tx *sqlx.Tx, erasure uuid.UUID, donors []uuid.UUID) error {
	const query = `/* privacy.sealReceiptsTx */
		INSERT INTO receipt_hold (receipt_id, erasure_id, sealed, reason, held_until) VALUES ($1, $2, $3, $4, $5)`
	gifts, err := donation.IDsByDonors(ctx, tx, donors)
	if err != nil {
		return err
	}
	receipts, err := receipt.ByDonations(ctx, tx, gifts)
	if err != nil {
		return err
	}
	today := k.Now().UTC().Truncate(24 * time.Hour)
	for _, r := range receipts {
		until := time.Date(r.Year+retentionYears+1, 1, 1, 0, 0, 0, 0, time.UTC)
		if r.Facts.Email == "" || !today.Before(until) {
			continue // erased before, or no longer required
		}
		text, err := json.Marshal(r.Facts)
		if err != nil {
			return err
		}
		sealed, err := k.seal("receipt", text, r.ID)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, query, r.ID, erasure, sealed, retentionReason, until); err != nil {
			return err
		}
	}
	return nil
}

// deleteExpiredReceipts deletes sealed copies that are no longer required.
func (k Eraser) deleteExpiredReceipts(ctx context.Context) error {
	const query = `/* privacy.deleteExpiredReceipts */ DELETE FROM receipt_hold WHERE held_until <= $1`
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query, k.Now())
		return err
	})
}
