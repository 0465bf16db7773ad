package donoraccess

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/people/session"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/securitylog"
)

// Mailbox is an address that a person has proved to read.
type Mailbox struct {
	Email    string    `db:"email"`
	ProvedAt time.Time `db:"proved_at"` // the last time
	Chosen   bool      `db:"chosen"`    // emails to any address of the person go here
	Closed   bool      `db:"closed"`    // its reader lost it: nobody signs in by it
}

// The kinds of rows in mailbox_step, which is append-only. Rows hold these values.
const (
	changeProved   = "proved"   // for the first time
	changeVouched  = "vouched"  // never proved: an operator vouches for the reader, who lost it
	changeJoined   = "joined"   // linked to another person
	changeMoved    = "moved"    // the same, in place of a lost address, which the person may have had before
	changeParted   = "parted"   // unlinked: back to the person before
	changeChosen   = "chosen"   // emails go here from now on
	changeUnchosen = "unchosen" // emails go to the address of each gift again
)

// Mailboxes returns the addresses of a person.
func (s Service) Mailboxes(ctx context.Context, person uuid.UUID) (all []Mailbox, err error) {
	const query = `/* donoraccess.Mailboxes */ SELECT email, proved_at, chosen, closed FROM mailbox WHERE person_id = $1 ORDER BY email`
	err = s.DB.SelectContext(ctx, &all, query, person)
	return all, err
}

// LinkedAddresses returns the given addresses and all others that belong to the same persons, each once.
func LinkedAddresses(ctx context.Context, q sqlx.QueryerContext, emails []string) (all []string, err error) {
	const query = `/* donoraccess.LinkedAddresses */
		SELECT email FROM unnest($1::text[]) AS given (email)
		 UNION SELECT o.email FROM mailbox m JOIN mailbox o ON o.person_id = m.person_id WHERE m.email = ANY($1::text[]) ORDER BY email`
	err = sqlx.SelectContext(ctx, q, &all, query, pq.Array(emails))
	return all, err
}

// ProvedBefore returns the addresses that were last proved before a moment; all proved addresses if the moment is nil.
func ProvedBefore(ctx context.Context, q sqlx.QueryerContext, moment *time.Time) (all []string, err error) {
	const query = `/* donoraccess.ProvedBefore */ SELECT email FROM mailbox WHERE $1::timestamptz IS NULL OR proved_at < $1`
	err = sqlx.SelectContext(ctx, q, &all, query, moment)
	return all, err
}

// IsProven reports whether an address was ever proved.
func (s Service) IsProven(ctx context.Context, email string) (proved bool, err error) {
	const query = `/* donoraccess.IsProven */ SELECT EXISTS (SELECT 1 FROM mailbox WHERE email = $1)`
	err = s.DB.GetContext(ctx, &proved, query, email)
	return proved, err
}

// recordProofTx records that an address was proved and returns the person who has it. An address proved for the first
// time gets a new person. A lost address that is proved is not lost.
func (s Service) recordProofTx(ctx context.Context, tx *sqlx.Tx, email string) (person uuid.UUID, err error) {
	const query = `/* donoraccess.recordProofTx */
		INSERT INTO mailbox AS m (email, person_id, proved_at) VALUES ($1, $2, now())
		ON CONFLICT (email) DO UPDATE SET proved_at = now(), closed = false RETURNING m.person_id`
	fresh := s.NewID()
	if err = tx.GetContext(ctx, &person, query, email, fresh); err != nil || person != fresh {
		return person, err
	}
	_, err = recordChangeTx(ctx, tx, email, changeProved, uuid.NullUUID{}, person)
	return person, err
}

// LinkAddress links an address to the session's person by the code of its email. It does nothing if the same code linked
// it before. It returns fault.NotFound and ErrTooMany as SignInByCode does. Sessions that the address opened for its
// person before end.
func (s Service) LinkAddress(ctx context.Context, of session.Session, a CodeAttempt) error {
	a.Person = of.PersonID
	err := s.redeemCode(ctx, a, func(tx *sqlx.Tx, c challengeRow) error {
		if err := markUsedTx(ctx, tx, c.ID); err != nil {
			return err
		}
		before, err := s.recordProofTx(ctx, tx, c.Email)
		if err != nil || before == of.PersonID {
			return err
		}
		return s.assignAddressTx(ctx, tx, c.Email, changeJoined, before, of.PersonID)
	})
	if fault.Is(err, fault.NotFound) {
		if linked, linkedErr := s.isLinked(ctx, of, a); linked || linkedErr != nil {
			return linkedErr
		}
	}
	recordProof(ctx, err, securitylog.AddressLinked, securitylog.CodeWrong)
	return err
}

// UnlinkAddress returns an address to the person who had it before it was linked, and ends the sessions that it
// opened. Errors:
//
//	fault.Conflict   the session was opened by this address
//	fault.NotFound   the address was not linked to the session's person
func (s Service) UnlinkAddress(ctx context.Context, of session.Session, email string) error {
	const query = `/* donoraccess.UnlinkAddress */
		SELECT j.before FROM mailbox m CROSS JOIN LATERAL (
		    SELECT before, after, kind FROM mailbox_step WHERE email = m.email AND before IS DISTINCT FROM after ORDER BY n DESC LIMIT 1) j
		 WHERE m.email = $1 AND m.person_id = $2 AND j.kind IN ('joined', 'moved') FOR UPDATE OF m`
	if email == of.Email {
		return fault.New(fault.Conflict, "portal.error.own_address", nil)
	}
	if !isStorable(email) {
		return errNotFound
	}
	err := pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		var before uuid.UUID
		if err := tx.GetContext(ctx, &before, query, email, of.PersonID); errors.Is(err, sql.ErrNoRows) {
			return errNotFound
		} else if err != nil {
			return err
		}
		return s.assignAddressTx(ctx, tx, email, changeParted, of.PersonID, before)
	})
	if err == nil {
		securitylog.Record(ctx, securitylog.AddressUnlinked)
	}
	return err
}

// assignAddressTx gives an address to another person, ends the sessions that it opened, and enqueues the email about
// it.
func (s Service) assignAddressTx(ctx context.Context, tx *sqlx.Tx, email, kind string, before, after uuid.UUID) error {
	const query = `/* donoraccess.assignAddressTx */ UPDATE mailbox SET person_id = $2 WHERE email = $1`
	if _, err := tx.ExecContext(ctx, query, email, after); err != nil {
		return err
	}
	if err := s.EndLinksTx(ctx, tx, []string{email}); err != nil {
		return err
	}
	if _, err := s.Sessions().EndOfEmailTx(ctx, tx, email); err != nil {
		return err
	}
	n, err := recordChangeTx(ctx, tx, email, kind, uuid.NullUUID{UUID: before, Valid: true}, after)
	if err != nil {
		return err
	}
	return s.Queue.EnqueueTx(ctx, tx, AddressEmailJob{n})
}

func recordChangeTx(ctx context.Context, tx *sqlx.Tx, email, kind string, before uuid.NullUUID, after uuid.UUID) (n int64, err error) {
	const query = `/* donoraccess.recordChangeTx */
		INSERT INTO mailbox_step (email, kind, before, after) VALUES ($1, $2, $3, $4) RETURNING n`
	err = tx.GetContext(ctx, &n, query, email, kind, before, after)
	return n, err
}

// SignOutEverywhere ends all sessions of a person, and the links of the emails sent to the person's addresses.
func (s Service) SignOutEverywhere(ctx context.Context, person uuid.UUID) error {
	return pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		_, err := s.endAllTx(ctx, tx, person)
		return err
	})
}

// endAllTx ends the links to the person's addresses, then all sessions of the person. It returns how many sessions it
// ended. Links come first: the order of locks of migration 00077.
func (s Service) endAllTx(ctx context.Context, tx *sqlx.Tx, person uuid.UUID) (ended int64, err error) {
	const query = `/* donoraccess.endAllTx */ SELECT email FROM mailbox WHERE person_id = $1`
	var emails []string
	if err = tx.SelectContext(ctx, &emails, query, person); err != nil {
		return 0, err
	}
	if err = s.EndLinksTx(ctx, tx, emails); err != nil {
		return 0, err
	}
	return s.Sessions().EndOfPersonTx(ctx, tx, person)
}

// EndSessionsOfEmail ends all sessions of the person who has an address, and all sessions that were opened by
// this address for any person, and the links of the emails sent to these addresses. It returns how many sessions it
// ended: 0 if no person has the address. Links end first: the order of locks of migration 00077.
func (s Service) EndSessionsOfEmail(ctx context.Context, email string) (ended int64, err error) {
	const query = `/* donoraccess.EndSessionsOfEmail */ SELECT person_id FROM mailbox WHERE email = $1`
	err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		emails, err := LinkedAddresses(ctx, tx, []string{email})
		if err != nil {
			return err
		}
		if err := s.EndLinksTx(ctx, tx, emails); err != nil {
			return err
		}
		var person uuid.UUID // uuid.Nil if no person has the address
		if err := tx.GetContext(ctx, &person, query, email); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		ended, err = s.Sessions().EndAllTx(ctx, tx, person, email)
		return err
	})
	return ended, err
}
