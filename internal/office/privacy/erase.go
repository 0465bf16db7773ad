package privacy

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/giving/donor"
	"konbit/internal/giving/planlink"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

// Erase erases the people of one erasure in one transaction, and enqueues the last email and the deletions at Stripe.
// Called again, it erases what is there again. It returns fault.Conflict as CheckErasable does.
//
// The database decides whether the erasure is due, and keeps a copy of each receipt that the law still requires. To the
// server's role it returns ErrWaits before that, and ErrNoKeys if Prepare must run first.
//
// What only a scan finds is searched before anything is locked. The locks that lockTx takes then make every writer of
// personal data wait until the erasure has ended (migration 00094).
func (k Eraser) Erase(ctx context.Context, id uuid.UUID) (err error) {
	for tries := 0; tries < 5; tries++ {
		if err = k.addDonors(ctx, id); err != nil {
			return err
		}
		if err = k.erase(ctx, id); !errors.Is(err, errNewDonor) && !pg.IsLockConflict(err) {
			return err
		}
	}
	return errors.Join(ErrWaits, err)
}

// errNewDonor reports that the person became a donor of another legal entity after addDonors looked, or that the donors
// before a move changed after nameMistypedTx looked.
var errNewDonor = errors.New("privacy: the person began a donation to another legal entity, or a donation of theirs moved, just now")

func (k Eraser) erase(ctx context.Context, id uuid.UUID) error {
	const end = `/* privacy.Erase */ UPDATE erasure SET done_at = coalesce(done_at, $2) WHERE id = $1`
	const find = `/* privacy.Erase */ SELECT rows_to_clear($1, $2)`
	const erase = `/* privacy.Erase */ SELECT erase_people($1, $2, $3)`
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		e, donors, err := readTx(ctx, tx, id)
		if err != nil || e.WithdrawnAt != nil {
			return err
		}
		if err := nameMistypedTx(ctx, tx, id); err != nil {
			return err
		}
		addresses, err := k.addressesTx(ctx, tx, e)
		if err != nil {
			return err
		}
		var candidates string
		if err := tx.GetContext(ctx, &candidates, find, id, pq.Array(addresses)); err != nil {
			return err
		}
		if err := lockTx(ctx, tx, id, addresses, candidates); err != nil {
			return err
		}
		if missing, err := k.missingTx(ctx, tx, e, donors, addresses); err != nil || len(missing) > 0 {
			return cmp.Or(err, errNewDonor)
		}
		if err := checkMistypedTx(ctx, tx, id, donors); err != nil {
			return err
		}
		if err := CheckErasable(ctx, tx, donors); err != nil {
			return err
		}
		if err := planlink.EndOfDonorsTx(ctx, tx, donors); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, erase, id, pq.Array(addresses), candidates); err != nil {
			return eraseError(err)
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

// Errors of Erase, in which the database refuses the server's role.
var (
	ErrWaits  = errors.New("privacy: the erasure is not due by the database's clock, or the server erased as many people today as it may")
	ErrNoKeys = errors.New("privacy: no one-time keys are left to keep the receipts: run konbit erasures prepare")
)

func eraseError(err error) error {
	switch {
	case pg.Violates(err, "erasure_is_due"), pg.Violates(err, "erasures_a_day"):
		return errors.Join(ErrWaits, err)
	case pg.Violates(err, "receipt_is_kept"):
		return errors.Join(ErrNoKeys, err)
	}
	return err
}

// mustWait reports whether an erasure that failed with err can be done later without a change.
func mustWait(err error) bool {
	return fault.Is(err, fault.Conflict) || errors.Is(err, ErrWaits) || pg.IsLockConflict(err)
}

// readTx locks an erasure and returns it with its donors.
func readTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID) (e Erasure, donors []uuid.UUID, err error) {
	const query = `/* privacy.readTx */ SELECT ` + columns + ` FROM erasure WHERE id = $1 FOR UPDATE`
	const of = `/* privacy.readTx */ SELECT donor_id FROM erasure_donor WHERE erasure_id = $1 ORDER BY donor_id`
	const first = `/* privacy.readTx */ SELECT erased_at($1)`
	if err = tx.GetContext(ctx, &e, query, id); err != nil {
		return e, nil, err
	}
	if err = tx.GetContext(ctx, &e.erasedAt, first, id); err != nil {
		return e, nil, err
	}
	err = tx.SelectContext(ctx, &donors, of, id)
	return e, donors, err
}

// lockTx locks the donors and addresses of an erasure, their links, sessions and deliveries, until the transaction ends:
// what is written about them is either there now, or is written in its erased form afterwards. A donation settles either
// before the erasure or after it. One erasure runs at a time. candidates is what rows_to_clear returned.
func lockTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, addresses []string, candidates string) error {
	const query = `/* privacy.lockTx */ SELECT lock_people($1, $2, $3)`
	_, err := tx.ExecContext(ctx, query, id, pq.Array(addresses), candidates)
	return err
}

// addDonors adds the person's donors that are not named yet: since the request, the person began a donation to another
// legal entity. A donor who is newer than an erasure that was done is a new person and is not added. The server's role
// waits for a donor who was added as long as for the others, and adds nobody to an erasure that was done.
func (k Eraser) addDonors(ctx context.Context, id uuid.UUID) error {
	const insert = `/* privacy.addDonors */
		INSERT INTO erasure_donor (erasure_id, donor_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING`
	err := pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		e, donors, err := readTx(ctx, tx, id)
		if err != nil || e.WithdrawnAt != nil {
			return err
		}
		addresses, err := k.addressesTx(ctx, tx, e)
		if err != nil {
			return err
		}
		missing, err := k.missingTx(ctx, tx, e, donors, addresses)
		if err != nil || len(missing) == 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, insert, id, pg.UUIDs(missing))
		return err
	})
	if pg.Violates(err, "done_erasure_names_nobody_else") {
		return nil
	}
	return err
}

// nameMistypedTx adds to an erasure, in its own transaction, the donors who owned the person's donations before a move,
// if nobody uses their address (function mistyped_of). An address that was mistyped often is the person's own,
// misspelt. It takes the lock of erasures first: two erasures may name the same donor. To an erasure that was done,
// only the owner of the tables adds somebody.
func nameMistypedTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID) error {
	const lock = `/* privacy.nameMistypedTx */ SELECT pg_advisory_xact_lock(hashtext('konbit erasures'))`
	const insert = `/* privacy.nameMistypedTx */
		INSERT INTO erasure_donor (erasure_id, donor_id) SELECT e.id, m.donor FROM erasure e CROSS JOIN LATERAL mistyped_of(e.id) AS m (donor)
		 WHERE e.id = $1 AND (e.done_at IS NULL OR is_owner()) ON CONFLICT DO NOTHING`
	if _, err := tx.ExecContext(ctx, lock); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, insert, id)
	return err
}

// checkMistypedTx reports errNewDonor if a donor that nameMistypedTx added has a donation or a proved address now, or
// if there is another. Call it under the locks of lockTx. named are the donors that the erasure named before.
func checkMistypedTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, named []uuid.UUID) error {
	const query = `/* privacy.checkMistypedTx */
		SELECT EXISTS (SELECT FROM erasure_donor n WHERE n.erasure_id = $1 AND n.donor_id <> ALL($2::uuid[]) AND n.donor_id NOT IN (SELECT mistyped_of($1)))
		    OR EXISTS (SELECT FROM mistyped_of($1) AS m (donor) JOIN erasure e ON e.id = $1
		                WHERE (e.done_at IS NULL OR is_owner()) AND m.donor NOT IN (SELECT n.donor_id FROM erasure_donor n WHERE n.erasure_id = $1))`
	var changed bool
	err := tx.GetContext(ctx, &changed, query, id, pg.UUIDs(named))
	if err == nil && changed {
		err = errNewDonor
	}
	return err
}

// missingTx returns the person's donors that the erasure does not name: those with one of the addresses, or with the
// address of a donor that it names; in the erasure's legal entity, if it is of one. Once lockTx has locked the addresses, nobody adds another.
func (k Eraser) missingTx(ctx context.Context, tx *sqlx.Tx, e Erasure, donors []uuid.UUID, addresses []string) ([]uuid.UUID, error) {
	named, err := donor.ByIDs(ctx, tx, donors)
	if err != nil {
		return nil, err
	}
	addresses = slices.Clone(addresses)
	for _, d := range named {
		if d.Email != "" {
			addresses = append(addresses, d.Email)
		}
	}
	all, err := donor.ByEmails(ctx, tx, addresses)
	return donor.IDs(slices.DeleteFunc(all, func(d donor.Donor) bool {
		return e.EntityID.Valid && d.EntityID != e.EntityID.UUID || slices.Contains(donors, d.ID) || e.erasedAt != nil && !d.RecordedAt.Before(*e.erasedAt)
	})), err
}

// addressesTx returns the proved addresses that match the erasure's hashes, also those without a donation. An address
// that was proved again after the erasure belongs to a new person and is left out. Of an erasure that was done it also
// returns the addresses of which the last RecordTracesTx found rows that are older; erase_people leaves the newer ones.
// Each address is returned once: the database counts them.
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
	all, err := donoraccess.ProvedBefore(ctx, tx, e.erasedAt)
	if err != nil {
		return nil, err
	}
	if e.erasedAt != nil {
		traced, err := tracedTx(ctx, tx)
		if err != nil {
			return nil, err
		}
		all = append(all, traced...)
	}
	slices.Sort(all)
	addresses = []string{}
	for _, email := range slices.Compact(all) {
		if slices.ContainsFunc(k.macs(email), func(mac []byte) bool { return wanted[string(mac)] }) {
			addresses = append(addresses, email)
		}
	}
	return addresses, nil
}

// deleteExpiredReceipts deletes the copies of receipts that are no longer required, by the database's clock.
func (k Eraser) deleteExpiredReceipts(ctx context.Context) error {
	const query = `/* privacy.deleteExpiredReceipts */ SELECT drop_expired_receipts()`
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query)
		return err
	})
}
