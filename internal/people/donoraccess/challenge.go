package donoraccess

import (
	"context"
	"database/sql"
	"errors"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/guard"
	"konbit/internal/platform/pg"
)

// Asking is somebody's wish for a letter that proves an address.
type EmailChallenge struct {
	Email    string // an address, as Normal makes it
	From     netip.Addr
	Browser  string // the secret of the browser that asks
	Language string
	Person   uuid.UUID // who adds the address to theirs; zero: somebody signs in
}

// Letter is the job of writing the letter.
type SignInEmailJob struct {
	SignInID uuid.UUID `json:"sign_in_id"`
}

// Kind names the job.
func (SignInEmailJob) Kind() string { return "sign_in_letter" }

// Ask orders the letter, or answers ErrTooMany. It does the same for every address, known or not.
func (k Service) RequestChallenge(ctx context.Context, a EmailChallenge) error {
	const query = `/* access.Ask */ INSERT INTO sign_in (id, email, person_id, language, browser_hash) VALUES ($1, $2, $3, $4, $5)`
	mailbox := guard.EmailKey(a.Email)
	kept, err := k.Guard.Allow(ctx,
		guard.Quota{Kind: "sign-in from", Subject: guard.AddressKey(a.From), Limit: k.Limits.EmailsPerAddress},
		guard.Quota{Kind: "sign-in from to", Subject: guard.NetworkKey(a.From) + " " + mailbox, Limit: k.Limits.EmailsPerMailboxAndNetwork},
		guard.Quota{Kind: "sign-in to", Subject: mailbox, Limit: k.Limits.EmailsPerMailbox})
	if err != nil {
		return err
	}
	if !kept {
		return ErrTooMany
	}
	id := k.NewID()
	person := uuid.NullUUID{UUID: a.Person, Valid: a.Person != uuid.Nil}
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, query, id, a.Email, person, a.Language, hashOf("browser", a.Browser)); err != nil {
			return err
		}
		return k.Queue.EnqueueTx(ctx, tx, SignInEmailJob{id})
	})
}

// AskedFrom is the address that a browser last asked a letter for, while that is good; empty: none.
func (k Service) PendingEmail(ctx context.Context, browser string) (email string, err error) {
	const query = `/* access.AskedFrom */
		SELECT email FROM sign_in WHERE browser_hash = $1 AND person_id IS NULL AND used_at IS NULL AND expires_at > now() ORDER BY n DESC LIMIT 1`
	err = k.DB.GetContext(ctx, &email, query, hashOf("browser", browser))
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return email, err
}

// Proof is what a letter proves an address by. It stands nowhere else.
type Credentials struct {
	Email     string    `db:"email"`
	Language  string    `db:"language"`
	Links     bool      `db:"joins"` // somebody adds the address to theirs; by the code alone
	ExpiresAt time.Time `db:"expires_at"`
	Token     string
	Code      string
}

// Issue makes the secrets of a letter that is about to go out; those of an earlier try are void. nil: it is too late for
// one, or a newer one was asked for.
func (k Service) IssueCredentials(ctx context.Context, signIn uuid.UUID) (*Credentials, error) {
	const query = `/* access.Issue */
		UPDATE sign_in s SET token_hash = $2, code_mac = $3
		 WHERE s.id = $1 AND s.used_at IS NULL AND s.expires_at > now()
		   AND NOT EXISTS (SELECT 1 FROM sign_in b WHERE b.email = s.email AND b.n > s.n AND b.person_id IS NOT DISTINCT FROM s.person_id)
		RETURNING email, language, person_id IS NOT NULL AS joins, expires_at`
	proof := Credentials{Token: NewSecret()}
	var err error
	if proof.Code, err = newCode(); err != nil {
		return nil, err
	}
	err = pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &proof, query, signIn, hashOf("link", proof.Token), k.codeMAC(signIn, proof.Code))
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &proof, err
}

// Forget drops what has been over for long: wishes after a day, sessions after a month.
func (k Service) DeleteExpired(ctx context.Context) error {
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `/* access.Forget */ DELETE FROM sign_in WHERE asked_at < now() - interval '1 day'`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `/* access.Forget */
			DELETE FROM session WHERE coalesce(ended_at, least(seen_at + $1::interval, opened_at + $2::interval)) < now() - interval '30 days'`,
			interval(IdleTimeout), interval(MaxLifetime))
		return err
	})
}
