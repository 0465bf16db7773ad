package donoraccess

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"errors"
	"net/netip"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/people/session"
	"konbit/internal/platform/email"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/securitylog"
)

// challengeRow is a row of sign_in.
type challengeRow struct {
	ID          uuid.UUID `db:"id"`
	Email       string    `db:"email"`
	CodeMAC     []byte    `db:"code_mac"`
	BrowserHash []byte    `db:"browser_hash"`
	Valid       bool      `db:"valid"` // its email was written, it is not used, not expired, and current (isCurrent)
}

// isOf reports whether the browser with these cookies made the request.
func (c challengeRow) isOf(cookies ...string) bool {
	return slices.ContainsFunc(browserHashes(cookies...), func(hash []byte) bool { return hmac.Equal(c.BrowserHash, hash) })
}

const (
	selectChallenge = `SELECT s.id, s.email, s.code_mac, s.browser_hash,
	       s.token_hash IS NOT NULL AND s.used_at IS NULL AND s.expires_at > now() AND ` + isCurrent + ` AS valid
	  FROM sign_in s `
	whereChallengeOf = `WHERE s.email = $1 AND s.person_id IS NOT DISTINCT FROM $2::uuid `
	newestFirst      = `ORDER BY s.n DESC LIMIT 1`
)

// LinkAttempt is a link as a browser opened it.
type LinkAttempt struct {
	Token    string
	From     netip.Addr
	Browsers []string // cookies that this browser has from its requests (AddBrowser)
}

// SignInByLink opens a session by the link of an email, in the browser that requested it, and returns the session
// with the secret for its cookie. Otherwise it returns fault.NotFound and does not use the link up.
func (s Service) SignInByLink(ctx context.Context, a LinkAttempt) (opened session.Session, secret string, err error) {
	const query = `/* donoraccess.SignInByLink */ ` + selectChallenge + `WHERE s.token_hash = $1 AND s.person_id IS NULL FOR UPDATE`
	err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		c, err := findChallenge(ctx, tx, query, hashOf("link", a.Token))
		if err != nil {
			return err
		}
		if !c.Valid || !c.isOf(a.Browsers...) {
			return errNotFound
		}
		opened, secret, err = s.openTx(ctx, tx, c, a.From)
		return err
	})
	recordProof(ctx, err, securitylog.SignedIn, securitylog.SignInLinkWrong)
	return opened, secret, err
}

// recordProof tells the security log whether an address was proved.
func recordProof(ctx context.Context, err error, proved, wrong securitylog.Event) {
	switch {
	case err == nil:
		securitylog.Record(ctx, proved)
	case errors.Is(err, ErrTooMany):
		securitylog.Limit(ctx, "codes")
	case fault.Is(err, fault.NotFound):
		securitylog.Record(ctx, wrong)
	}
}

// CodeAttempt is a code as a person typed it.
type CodeAttempt struct {
	Email   string // normalised (email.Normalize)
	Code    string
	From    netip.Addr
	Browser string    // cookie of the browser in which it was typed (AddBrowser); "" if that browser requested no code
	Known   string    // cookie of a known browser (MarkBrowser); may be empty
	Session string    // cookie of the browser's session; may be empty
	Person  uuid.UUID // who links the address to theirs; zero for a sign-in
}

// SignInByCode opens a session by the code of an email, in any browser, and returns the session with the secret for
// its cookie. Errors:
//
//	fault.NotFound   the code is neither that of the newest email nor that of an email which this browser requested
//	ErrTooMany       there were too many attempts; each call counts as one, also if it succeeds
//	ErrSignedIn      the code was used, and it opened the session of this browser
//	ErrUsed          the code was used, and this browser had requested it
func (s Service) SignInByCode(ctx context.Context, a CodeAttempt) (opened session.Session, secret string, err error) {
	err = s.redeemCode(ctx, a, func(tx *sqlx.Tx, c challengeRow) (err error) {
		opened, secret, err = s.openTx(ctx, tx, c, a.From)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		err = s.findUse(ctx, a)
	}
	recordProof(ctx, err, securitylog.SignedIn, securitylog.CodeWrong)
	return opened, secret, err
}

// ErrSignedIn and ErrUsed: the form of a code was posted twice. The second post opens no session: a code is valid once.
var (
	ErrSignedIn = errors.New("donoraccess: the code opened the session of this browser")
	ErrUsed     = errors.New("donoraccess: the code was used in this browser")
)

// findUse returns ErrSignedIn or ErrUsed if a code that was not valid was used less than ten minutes ago; else
// fault.NotFound.
func (s Service) findUse(ctx context.Context, a CodeAttempt) error {
	const query = `/* donoraccess.findUse */ ` + selectChallenge +
		`WHERE s.email = $1 AND s.person_id IS NULL AND s.used_at IS NOT NULL AND s.expires_at > now() AND (s.id = $2 OR s.browser_hash = ANY($3))`
	if !isStorable(a.Email) {
		return errNotFound
	}
	own, err := s.Sessions().Find(ctx, a.Session)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	used, err := s.usedWith(ctx, a, query, a.Email, own.ProofID, pq.ByteaArray(browserHashes(a.Browser)))
	switch {
	case err != nil:
		return err
	case used == uuid.Nil:
		return errNotFound
	case used == own.ProofID:
		return ErrSignedIn
	}
	return ErrUsed
}

// isLinked reports whether a code linked its address to the session's person less than ten minutes ago, and the person
// still has the address: its form was posted twice.
func (s Service) isLinked(ctx context.Context, of session.Session, a CodeAttempt) (bool, error) {
	const query = `/* donoraccess.isLinked */ ` + selectChallenge +
		`JOIN mailbox m ON m.email = s.email AND m.person_id = s.person_id WHERE s.email = $1 AND s.person_id = $2 AND s.used_at IS NOT NULL AND s.expires_at > now()`
	if !isStorable(a.Email) {
		return false, nil
	}
	used, err := s.usedWith(ctx, a, query, a.Email, of.PersonID)
	return used != uuid.Nil, err
}

// usedWith returns the id of the request, of those that a query finds, that has the attempt's code; uuid.Nil if there is
// none.
func (s Service) usedWith(ctx context.Context, a CodeAttempt, query string, args ...any) (uuid.UUID, error) {
	var used []challengeRow
	err := s.DB.SelectContext(ctx, &used, query, args...)
	for _, c := range used {
		if s.isCode(c.CodeMAC, c.ID, normalizeCode(a.Code)) {
			return c.ID, err
		}
	}
	return uuid.Nil, err
}

// redeemCode calls do, once, if the code is right: that of a request of this browser, or of the newest.
func (s Service) redeemCode(ctx context.Context, a CodeAttempt, do func(tx *sqlx.Tx, c challengeRow) error) error {
	const newestQuery = `/* donoraccess.redeemCode */ ` + selectChallenge + whereChallengeOf + newestFirst
	const ownQuery = `/* donoraccess.redeemCode */ ` + selectChallenge + whereChallengeOf +
		`AND s.browser_hash = ANY($3) AND s.used_at IS NULL AND s.expires_at > now() ORDER BY s.n DESC`
	if !isStorable(a.Email) {
		return errNotFound
	}
	newest, err := findChallenge(ctx, s.DB, newestQuery, a.Email, nullable(a.Person))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	var tried []challengeRow
	if hashes := browserHashes(a.Browser); len(hashes) > 0 {
		if err := s.DB.SelectContext(ctx, &tried, ownQuery, a.Email, nullable(a.Person), pq.ByteaArray(hashes)); err != nil {
			return err
		}
	}
	tried = slices.DeleteFunc(tried, func(c challengeRow) bool { return !c.Valid || c.ID == newest.ID })
	tried = append(tried, newest)
	result := ErrTooMany
	for _, c := range tried {
		switch err := s.redeemCodeOf(ctx, a, c, do); {
		case fault.Is(err, fault.NotFound):
			result = err
		case !errors.Is(err, ErrTooMany):
			return err
		}
	}
	return result
}

// redeemCodeOf calls do if the code is that of a request.
func (s Service) redeemCodeOf(ctx context.Context, a CodeAttempt, c challengeRow, do func(tx *sqlx.Tx, c challengeRow) error) error {
	const query = `/* donoraccess.redeemCodeOf */ ` + selectChallenge + `WHERE s.id = $1 FOR UPDATE OF s`
	allowed, err := s.Guard.Allow(ctx, s.guessLimits(a, c)...)
	if err != nil {
		return err
	}
	if !allowed {
		return ErrTooMany
	}
	return pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		c, err := findChallenge(ctx, tx, query, c.ID)
		if err != nil {
			return err
		}
		if !s.isCode(c.CodeMAC, c.ID, normalizeCode(a.Code)) || !c.Valid {
			return errNotFound
		}
		return do(tx, c)
	})
}

// guessLimits returns the limits of an attempt. The browser that requested the code and the known browsers of the mailbox
// have limits of their own, so guesses of strangers do not use them up.
func (s Service) guessLimits(a CodeAttempt, c challengeRow) []guard.Quota {
	if c.isOf(a.Browser) {
		return []guard.Quota{{Kind: "sign-in own guess", Subject: c.ID.String(), Limit: s.Limits.GuessesInRequestingBrowser}}
	}
	if mailbox := email.MailboxKey(a.Email); s.isKnown(a.Known, mailbox) {
		return []guard.Quota{{Kind: "sign-in known guess", Subject: mailbox, Limit: s.Limits.GuessesInKnownBrowsers}}
	}
	return []guard.Quota{
		{Kind: "sign-in guess from", Subject: guard.AddressKey(a.From), Limit: s.Limits.GuessesPerAddress},
		{Kind: "sign-in guess from of", Subject: guard.NetworkKey(a.From) + " " + a.Email, Limit: s.Limits.GuessesPerMailboxAndNetwork},
		{Kind: "sign-in guess of", Subject: a.Email, Limit: s.Limits.GuessesPerMailbox},
	}
}

func findChallenge(ctx context.Context, q sqlx.QueryerContext, query string, args ...any) (c challengeRow, err error) {
	err = sqlx.GetContext(ctx, q, &c, query, args...)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNotFound
	}
	return c, err
}

// openTx uses a challenge up and opens a session for the person who has the address.
func (s Service) openTx(ctx context.Context, tx *sqlx.Tx, c challengeRow, from netip.Addr) (opened session.Session, secret string, err error) {
	if err = markUsedTx(ctx, tx, c.ID); err != nil {
		return opened, "", err
	}
	person, err := s.recordProofTx(ctx, tx, c.Email)
	if err != nil {
		return opened, "", err
	}
	opened, secret, err = s.Sessions().OpenTx(ctx, tx, session.Opening{PersonID: person, Email: c.Email, ProofID: c.ID})
	if err != nil {
		return opened, "", err
	}
	return opened, secret, s.recordNetworkTx(ctx, tx, opened.ID, c.Email, from)
}

// markUsedTx uses a challenge up. The caller holds the lock on its row.
func markUsedTx(ctx context.Context, tx *sqlx.Tx, signIn uuid.UUID) error {
	const query = `/* donoraccess.markUsedTx */ UPDATE sign_in SET used_at = now() WHERE id = $1`
	_, err := tx.ExecContext(ctx, query, signIn)
	return err
}
