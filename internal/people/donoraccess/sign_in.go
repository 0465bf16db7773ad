package donoraccess

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"errors"
	"net/netip"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/guard"
	"konbit/internal/platform/pg"
)

// asked is a wish for a letter, as its row has it.
type challengeRow struct {
	ID          uuid.UUID `db:"id"`
	Email       string    `db:"email"`
	CodeMAC     []byte    `db:"code_mac"`
	BrowserHash []byte    `db:"browser_hash"`
	Valid       bool      `db:"good"` // the letter was written, not used, is not ten minutes old, and none is newer
}

const (
	selectChallenge = `SELECT s.id, s.email, s.code_mac, s.browser_hash,
	       s.token_hash IS NOT NULL AND s.used_at IS NULL AND s.expires_at > now() AND NOT EXISTS (SELECT 1 FROM sign_in b
	           WHERE b.email = s.email AND b.n > s.n AND b.person_id IS NOT DISTINCT FROM s.person_id) AS good
	  FROM sign_in s `
	selectNewestChallenge = selectChallenge + `WHERE s.email = $1 AND s.person_id IS NOT DISTINCT FROM $2::uuid ORDER BY s.n DESC LIMIT 1`
)

// ByLink opens a session by a letter's link, in the browser that asked for the letter; fault.NotFound otherwise, and nothing is
// used up. The session's secret is for its cookie.
func (k Service) SignInByLink(ctx context.Context, token, browser string) (Session, string, error) {
	const query = `/* access.ByLink */ ` + selectChallenge + `WHERE s.token_hash = $1 AND s.person_id IS NULL FOR UPDATE`
	var opened Session
	secret := NewSecret()
	err := pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		a, err := findChallenge(ctx, tx, query, hashOf("link", token))
		if err != nil {
			return err
		}
		if !a.Valid || !hmac.Equal(a.BrowserHash, hashOf("browser", browser)) {
			return errNotFound()
		}
		opened, err = k.openTx(ctx, tx, a, secret)
		return err
	})
	return opened, secret, err
}

// Coded is a code as somebody typed it.
type CodeAttempt struct {
	Email   string // as Normal makes it
	Code    string
	From    netip.Addr
	Browser string    // the secret of the browser it was typed in, if that asked; empty: it did not
	Person  uuid.UUID // who adds the address to theirs; zero: somebody signs in
}

// ByCode opens a session by a letter's code, in any browser; fault.NotFound when it is not that of the newest letter, and
// ErrTooMany when too many were tried.
func (k Service) SignInByCode(ctx context.Context, c CodeAttempt) (Session, string, error) {
	var opened Session
	secret := NewSecret()
	err := k.redeemCode(ctx, c, func(tx *sqlx.Tx, a challengeRow) (err error) {
		opened, err = k.openTx(ctx, tx, a, secret)
		return err
	})
	return opened, secret, err
}

// byCode does what a good code gives a right to, once.
func (k Service) redeemCode(ctx context.Context, c CodeAttempt, do func(tx *sqlx.Tx, a challengeRow) error) error {
	if !isStorable(c.Email) {
		return errNotFound()
	}
	person := uuid.NullUUID{UUID: c.Person, Valid: c.Person != uuid.Nil}
	a, err := findChallenge(ctx, k.DB, `/* access.byCode */ `+selectNewestChallenge, c.Email, person)
	if err != nil && !isNotFound(err) {
		return err
	}
	kept, err := k.Guard.Allow(ctx, k.guessLimits(c, a)...)
	if err != nil {
		return err
	}
	if !kept {
		return ErrTooMany
	}
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		a, err := findChallenge(ctx, tx, `/* access.byCode */ `+selectNewestChallenge+` FOR UPDATE OF s`, c.Email, person)
		if err != nil {
			return err
		}
		if !hmac.Equal(a.CodeMAC, k.codeMAC(a.ID, normalizeCode(c.Code))) || !a.Valid {
			return errNotFound()
		}
		return do(tx, a)
	})
}

// guesses are the limits a guess falls under: those of the browser that asked are its own, and no stranger's guessing uses
// them up.
func (k Service) guessLimits(c CodeAttempt, a challengeRow) []guard.Quota {
	if c.Browser != "" && hmac.Equal(a.BrowserHash, hashOf("browser", c.Browser)) {
		return []guard.Quota{{Kind: "sign-in own guess", Subject: a.ID.String(), Limit: k.Limits.GuessesInRequestingBrowser}}
	}
	return []guard.Quota{
		{Kind: "sign-in guess from", Subject: guard.AddressKey(c.From), Limit: k.Limits.GuessesPerAddress},
		{Kind: "sign-in guess from of", Subject: guard.NetworkKey(c.From) + " " + c.Email, Limit: k.Limits.GuessesPerMailboxAndNetwork},
		{Kind: "sign-in guess of", Subject: c.Email, Limit: k.Limits.GuessesPerMailbox},
	}
}

func findChallenge(ctx context.Context, q sqlx.QueryerContext, query string, args ...any) (a challengeRow, err error) {
	err = sqlx.GetContext(ctx, q, &a, query, args...)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNotFound()
	}
	return a, err
}

// useTx uses a letter up. Its row is locked.
func markUsedTx(ctx context.Context, tx *sqlx.Tx, signIn uuid.UUID) error {
	const query = `/* access.useTx */ UPDATE sign_in SET used_at = now() WHERE id = $1`
	_, err := tx.ExecContext(ctx, query, signIn)
	return err
}
