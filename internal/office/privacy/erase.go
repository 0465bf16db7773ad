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

// heldYears is how long after its year a receipt is kept whole; see the package's words.
const retentionYears = 7

// holdReason is why.
const retentionReason = "tax law: records of contributions are shown on request for seven years"

// Do forgets the people of one erasure, in one transaction, and orders the letter after, and that Stripe forgets them too. Done again, it does again what there is
// left to do. fault.Conflict: see Ready.
func (k Eraser) Erase(ctx context.Context, id uuid.UUID) error {
	const end = `/* privacy.Do */ UPDATE erasure SET done_at = coalesce(done_at, $2) WHERE id = $1`
	const erase = `/* privacy.Do */ SELECT erase_people($1, $2)`
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

// readTx reads an erasure and locks its donors, so that a gift that settles meanwhile comes before or after.
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

// addressesTx are the proved addresses that the erasure's hashes name, also those that no gift came from. One proved again since is a
// new person's.
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

// holdTx seals what the receipts of donors say that the law still asks for.
func (k Eraser) sealReceiptsTx(ctx context.Context, tx *sqlx.Tx, erasure uuid.UUID, donors []uuid.UUID) error {
	const query = `/* privacy.holdTx */
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
			continue // erased before, or its time is over
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

// endHolds takes away what is held no longer.
func (k Eraser) deleteExpiredReceipts(ctx context.Context) error {
	const query = `/* privacy.endHolds */ DELETE FROM receipt_hold WHERE held_until <= $1`
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query, k.Now())
		return err
	})
}
