package donoraccess

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

// Mailbox is an address that a person has proved to read.
type Mailbox struct {
	Email    string    `db:"email"`
	ProvedAt time.Time `db:"proved_at"` // last
}

// The steps of an address, append-only.
const (
	changeProved = "proved"
	changeJoined = "joined"
	changeParted = "parted"
)

// Mailboxes lists the addresses of a person.
func (k Service) Mailboxes(ctx context.Context, person uuid.UUID) (all []Mailbox, err error) {
	const query = `/* access.Mailboxes */ SELECT email, proved_at FROM mailbox WHERE person_id = $1 ORDER BY email`
	err = k.DB.SelectContext(ctx, &all, query, person)
	return all, err
}

// Together lists addresses with all others that were proved to be of the same people, each once.
func LinkedAddresses(ctx context.Context, q sqlx.QueryerContext, emails []string) (all []string, err error) {
	const query = `/* access.Together */
		SELECT email FROM unnest($1::text[]) AS given (email)
		 UNION SELECT o.email FROM mailbox m JOIN mailbox o ON o.person_id = m.person_id WHERE m.email = ANY($1::text[]) ORDER BY email`
	err = sqlx.SelectContext(ctx, q, &all, query, pq.Array(emails))
	return all, err
}

// Proved tells whether anybody has ever proved an address.
func (k Service) IsProven(ctx context.Context, email string) (proved bool, err error) {
	const query = `/* access.Proved */ SELECT EXISTS (SELECT 1 FROM mailbox WHERE email = $1)`
	err = k.DB.GetContext(ctx, &proved, query, email)
	return proved, err
}

// proveTx notes that an address was proved and answers whose it is: at first a new person's.
func (k Service) recordProofTx(ctx context.Context, tx *sqlx.Tx, email string) (person uuid.UUID, err error) {
	const query = `/* access.proveTx */
		INSERT INTO mailbox AS m (email, person_id, proved_at) VALUES ($1, $2, now())
		ON CONFLICT (email) DO UPDATE SET proved_at = now() RETURNING m.person_id`
	fresh := k.NewID()
	if err = tx.GetContext(ctx, &person, query, email, fresh); err != nil || person != fresh {
		return person, err
	}
	_, err = recordChangeTx(ctx, tx, email, changeProved, uuid.NullUUID{}, person)
	return person, err
}

// Join adds an address to a person's by its letter's code, typed in one of their sessions. The answers are those of ByCode. What
// the address had opened before, for somebody else, ends.
func (k Service) LinkAddress(ctx context.Context, s Session, c CodeAttempt) error {
	c.Person = s.PersonID
	return k.redeemCode(ctx, c, func(tx *sqlx.Tx, a challengeRow) error {
		if err := markUsedTx(ctx, tx, a.ID); err != nil {
			return err
		}
		before, err := k.recordProofTx(ctx, tx, a.Email)
		if err != nil || before == s.PersonID {
			return err
		}
		return k.assignAddressTx(ctx, tx, a.Email, changeJoined, before, s.PersonID)
	})
}

// Part takes an address away from a person's: it is again whose it was before it was joined, and what it opened ends. The
// address that the session was opened by stays: fault.Conflict. One that was not joined is fault.NotFound.
func (k Service) UnlinkAddress(ctx context.Context, s Session, email string) error {
	const query = `/* access.Part */
		SELECT j.before FROM mailbox m CROSS JOIN LATERAL (
		    SELECT before, after, kind FROM mailbox_step WHERE email = m.email ORDER BY n DESC LIMIT 1) j
		 WHERE m.email = $1 AND m.person_id = $2 AND j.kind = 'joined' FOR UPDATE OF m`
	if email == s.Email {
		return fault.New(fault.Conflict, "portal.error.own_address", nil)
	}
	if !isStorable(email) {
		return errNotFound()
	}
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		var before uuid.UUID
		if err := tx.GetContext(ctx, &before, query, email, s.PersonID); errors.Is(err, sql.ErrNoRows) {
			return errNotFound()
		} else if err != nil {
			return err
		}
		return k.assignAddressTx(ctx, tx, email, changeParted, s.PersonID, before)
	})
}

// moveTx gives an address to another person, ends the sessions it opened for the one before, and has everybody told.
func (k Service) assignAddressTx(ctx context.Context, tx *sqlx.Tx, email, kind string, before, after uuid.UUID) error {
	const move = `/* access.moveTx */ UPDATE mailbox SET person_id = $2 WHERE email = $1`
	const end = `/* access.moveTx */ UPDATE session SET ended_at = now() WHERE email = $1 AND person_id = $2 AND ended_at IS NULL`
	if _, err := tx.ExecContext(ctx, move, email, after); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, end, email, before); err != nil {
		return err
	}
	n, err := recordChangeTx(ctx, tx, email, kind, uuid.NullUUID{UUID: before, Valid: true}, after)
	if err != nil {
		return err
	}
	return k.Queue.EnqueueTx(ctx, tx, AddressEmailJob{n})
}

func recordChangeTx(ctx context.Context, tx *sqlx.Tx, email, kind string, before uuid.NullUUID, after uuid.UUID) (n int64, err error) {
	const query = `/* access.stepTx */ INSERT INTO mailbox_step (email, kind, before, after) VALUES ($1, $2, $3, $4) RETURNING n`
	err = tx.GetContext(ctx, &n, query, email, kind, before, after)
	return n, err
}
