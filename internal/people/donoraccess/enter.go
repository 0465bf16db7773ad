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
type asked struct {
	ID      uuid.UUID `db:"id"`
	Email   string    `db:"email"`
	CodeMAC []byte    `db:"code_mac"`
	Browser []byte    `db:"browser_hash"`
	Good    bool      `db:"good"` // the letter was written, not used, is not ten minutes old, and none is newer
}

const (
	selectAsked = `SELECT s.id, s.email, s.code_mac, s.browser_hash,
	       s.token_hash IS NOT NULL AND s.used_at IS NULL AND s.expires_at > now() AND NOT EXISTS (SELECT 1 FROM sign_in b
	           WHERE b.email = s.email AND b.n > s.n AND b.person_id IS NOT DISTINCT FROM s.person_id) AS good
	  FROM sign_in s `
	newestAsked = selectAsked + `WHERE s.email = $1 AND s.person_id IS NOT DISTINCT FROM $2::uuid ORDER BY s.n DESC LIMIT 1`
)

// ByLink opens a session by a letter's link, in the browser that asked for the letter; fault.NotFound otherwise, and nothing is
// used up. The session's secret is for its cookie.
func (k Keeper) ByLink(ctx context.Context, token, browser string) (Session, string, error) {
	const query = `/* access.ByLink */ ` + selectAsked + `WHERE s.token_hash = $1 AND s.person_id IS NULL FOR UPDATE`
	var opened Session
	secret := NewSecret()
	err := pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		a, err := findAsked(ctx, tx, query, hashOf("link", token))
		if err != nil {
			return err
		}
		if !a.Good || !hmac.Equal(a.Browser, hashOf("browser", browser)) {
			return none()
		}
		opened, err = k.openTx(ctx, tx, a, secret)
		return err
	})
	return opened, secret, err
}

// Coded is a code as somebody typed it.
type Coded struct {
	Email   string // as Normal makes it
	Code    string
	From    netip.Addr
	Browser string    // the secret of the browser it was typed in, if that asked; empty: it did not
	Person  uuid.UUID // who adds the address to theirs; zero: somebody signs in
}

// ByCode opens a session by a letter's code, in any browser; fault.NotFound when it is not that of the newest letter, and
// ErrTooMany when too many were tried.
func (k Keeper) ByCode(ctx context.Context, c Coded) (Session, string, error) {
	var opened Session
	secret := NewSecret()
	err := k.byCode(ctx, c, func(tx *sqlx.Tx, a asked) (err error) {
		opened, err = k.openTx(ctx, tx, a, secret)
		return err
	})
	return opened, secret, err
}

// byCode does what a good code gives a right to, once.
func (k Keeper) byCode(ctx context.Context, c Coded, do func(tx *sqlx.Tx, a asked) error) error {
	if !holdable(c.Email) {
		return none()
	}
	person := uuid.NullUUID{UUID: c.Person, Valid: c.Person != uuid.Nil}
	a, err := findAsked(ctx, k.DB, `/* access.byCode */ `+newestAsked, c.Email, person)
	if err != nil && !isNone(err) {
		return err
	}
	kept, err := k.Guard.Allow(ctx, k.guesses(c, a)...)
	if err != nil {
		return err
	}
	if !kept {
		return ErrTooMany
	}
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		a, err := findAsked(ctx, tx, `/* access.byCode */ `+newestAsked+` FOR UPDATE OF s`, c.Email, person)
		if err != nil {
			return err
		}
		if !hmac.Equal(a.CodeMAC, k.codeMAC(a.ID, digitsOf(c.Code))) || !a.Good {
			return none()
		}
		return do(tx, a)
	})
}

// guesses are the limits a guess falls under: those of the browser that asked are its own, and no stranger's guessing uses
// them up.
func (k Keeper) guesses(c Coded, a asked) []guard.Limited {
	if c.Browser != "" && hmac.Equal(a.Browser, hashOf("browser", c.Browser)) {
		return []guard.Limited{{Kind: "sign-in own guess", Of: a.ID.String(), Limit: k.Limits.Own}}
	}
	return []guard.Limited{
		{Kind: "sign-in guess from", Of: guard.AddressOf(c.From), Limit: k.Limits.Anyone},
		{Kind: "sign-in guess from of", Of: guard.NetworkOf(c.From) + " " + c.Email, Limit: k.Limits.Strange},
		{Kind: "sign-in guess of", Of: c.Email, Limit: k.Limits.Together},
	}
}

func findAsked(ctx context.Context, q sqlx.QueryerContext, query string, args ...any) (a asked, err error) {
	err = sqlx.GetContext(ctx, q, &a, query, args...)
	if errors.Is(err, sql.ErrNoRows) {
		err = none()
	}
	return a, err
}

// useTx uses a letter up. Its row is locked.
func useTx(ctx context.Context, tx *sqlx.Tx, signIn uuid.UUID) error {
	const query = `/* access.useTx */ UPDATE sign_in SET used_at = now() WHERE id = $1`
	_, err := tx.ExecContext(ctx, query, signIn)
	return err
}
