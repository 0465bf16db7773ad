package donoraccess

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

// Session is somebody being here.
type Session struct {
	ID       uuid.UUID `db:"id"`
	PersonID uuid.UUID `db:"person_id"`
	Email    string    `db:"email"` // proved to open it
	OpenedAt time.Time `db:"opened_at"`
}

// seenEvery is how often a visit is noted: reading a page seldom writes.
const seenInterval = time.Hour

// openTx uses a letter up and opens a session by it, of the person whose address it proved.
func (k Service) openTx(ctx context.Context, tx *sqlx.Tx, a challengeRow, secret string) (s Session, err error) {
	const query = `/* access.openTx */
		INSERT INTO session (id, person_id, email, sign_in_id, token_hash) VALUES ($1, $2, $3, $4, $5)
		RETURNING id, person_id, email, opened_at`
	if err = markUsedTx(ctx, tx, a.ID); err != nil {
		return s, err
	}
	person, err := k.recordProofTx(ctx, tx, a.Email)
	if err != nil {
		return s, err
	}
	err = tx.GetContext(ctx, &s, query, k.NewID(), person, a.Email, a.ID, hashOf("session", secret))
	return s, err
}

// Session is the one of that secret, while it lasts; fault.NotFound otherwise.
func (k Service) Session(ctx context.Context, secret string) (Session, error) {
	const query = `/* access.Session */
		SELECT id, person_id, email, opened_at, seen_at < now() - $4::interval AS seen_long_ago FROM session
		 WHERE token_hash = $1 AND ended_at IS NULL AND seen_at > now() - $2::interval AND opened_at > now() - $3::interval`
	var found struct {
		Session
		SeenLongAgo bool `db:"seen_long_ago"`
	}
	err := k.DB.GetContext(ctx, &found, query, hashOf("session", secret), interval(IdleTimeout), interval(MaxLifetime), interval(seenInterval))
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, errNotFound()
	}
	if err == nil && found.SeenLongAgo {
		err = k.seen(ctx, found.ID)
	}
	return found.Session, err
}

func (k Service) seen(ctx context.Context, id uuid.UUID) error {
	const query = `/* access.seen */ UPDATE session SET seen_at = now() WHERE id = $1`
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query, id)
		return err
	})
}

// End ends the session of that secret, if there is one.
func (k Service) End(ctx context.Context, secret string) error {
	const query = `/* access.End */ UPDATE session SET ended_at = now() WHERE token_hash = $1 AND ended_at IS NULL`
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query, hashOf("session", secret))
		return err
	})
}

// EndAll ends every session of a person, on every device, and answers how many.
func (k Service) EndAll(ctx context.Context, person uuid.UUID) (ended int64, err error) {
	const query = `/* access.EndAll */ UPDATE session SET ended_at = now() WHERE person_id = $1 AND ended_at IS NULL`
	err = pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		done, err := tx.ExecContext(ctx, query, person)
		if err != nil {
			return err
		}
		ended, err = done.RowsAffected()
		return err
	})
	return ended, err
}

// EndAllOf is EndAll of whoever has an address; nobody has it: none. It also ends what the address opened for somebody else before.
func (k Service) EndAllOf(ctx context.Context, email string) (ended int64, err error) {
	const query = `/* access.EndAllOf */
		UPDATE session SET ended_at = now() WHERE ended_at IS NULL
		   AND (email = $1 OR person_id = (SELECT person_id FROM mailbox WHERE email = $1))`
	err = pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		done, err := tx.ExecContext(ctx, query, email)
		if err != nil {
			return err
		}
		ended, err = done.RowsAffected()
		return err
	})
	return ended, err
}

func isNotFound(err error) bool { return fault.Is(err, fault.NotFound) }

// interval is a duration as PostgreSQL reads it.
func interval(d time.Duration) string { return fmt.Sprintf("%d seconds", int64(d.Seconds())) }
