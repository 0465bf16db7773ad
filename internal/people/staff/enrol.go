package staff

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/people/session"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/securitylog"
)

// UseInvitation opens the session of an invitation by the secret of its link, and returns the secret for the cookie. It
// returns fault.NotFound if the link is wrong, used, ended or expired.
func (s Service) UseInvitation(ctx context.Context, token string, from Client) (kind, secret string, err error) {
	const query = `/* staff.UseInvitation */ SELECT coalesce(use_invitation($1, $2, $3, $4, $5), '')`
	secret = session.NewSecret()
	err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		err := tx.GetContext(ctx, &kind, query, s.NewID(), hashOf("link", token), hashOf("session", secret), from.Device, from.network())
		if err == nil && kind == "" {
			err = errNotFound
		}
		return err
	})
	if err != nil {
		securitylog.Record(ctx, securitylog.StaffLinkWrong)
		return "", "", err
	}
	securitylog.Record(ctx, securitylog.StaffLinkUsed)
	return kind, secret, nil
}

// SetPassword sets or replaces the password of the session's person. The caller has checked it (PasswordProblem).
func (s Service) SetPassword(ctx context.Context, of Session, password string) error {
	hash := hashPassword(password)
	return InTx(ctx, s.DB, of, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `/* staff.SetPassword */ SELECT set_staff_password($1)`, hash); err != nil {
			return err
		}
		if !of.IsFull() { // told when the first factor is complete
			return s.recordTx(ctx, tx, Event{Act: "staff.factor_changed", By: of.StaffID, About: of.StaffID, Detail: "password set"})
		}
		return s.factorChangedTx(ctx, tx, of, "password set")
	})
}

// factorChangedTx records and tells that a way to sign in was added, replaced or removed.
func (s Service) factorChangedTx(ctx context.Context, tx *sqlx.Tx, of Session, what string) error {
	if err := s.recordTx(ctx, tx, Event{Act: "staff.factor_changed", By: of.StaffID, About: of.StaffID, Detail: what}); err != nil {
		return err
	}
	securitylog.Record(ctx, securitylog.FactorChanged)
	return s.tellTx(ctx, tx, EmailFactor, of.StaffID)
}

var base32NoPadding = base32.StdEncoding.WithPadding(base32.NoPadding)

// TOTP is the secret of an authenticator app, which its person has to enter there.
type TOTP struct {
	Secret string // base32
	URL    string // otpauth
}

// Groups returns the secret in groups of four, to be typed.
func (t TOTP) Groups() string {
	var groups []string
	for rest := t.Secret; rest != ""; {
		n := min(4, len(rest))
		groups, rest = append(groups, rest[:n]), rest[n:]
	}
	return strings.Join(groups, " ")
}

// NewTOTP makes and stores the secret of a new authenticator app, which counts after ConfirmTOTP.
func (s Service) NewTOTP(ctx context.Context, of Session) (TOTP, error) {
	var secret [20]byte
	_, _ = rand.Read(secret[:]) // documented never to fail
	err := InTx(ctx, s.DB, of, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `/* staff.NewTOTP */ SELECT set_staff_totp($1, $2)`, s.NewID(), secret[:])
		return err
	})
	if err != nil {
		return TOTP{}, err
	}
	t := TOTP{Secret: base32NoPadding.EncodeToString(secret[:])}
	label := "Konbit " + s.Site.Hostname() + ":" + of.Email
	query := url.Values{"secret": {t.Secret}, "issuer": {"Konbit " + s.Site.Hostname()}}
	t.URL = "otpauth://totp/" + url.PathEscape(label) + "?" + strings.ReplaceAll(query.Encode(), "+", "%20")
	return t, nil
}

// ConfirmTOTP takes the new authenticator app into use by a code of it, and reports whether the code was right. The app
// before ends.
func (s Service) ConfirmTOTP(ctx context.Context, of Session, typed string) (right bool, err error) {
	code := cleanCode(typed)
	if !totpCode.MatchString(code) {
		return false, nil
	}
	err = InTx(ctx, s.DB, of, func(tx *sqlx.Tx) error {
		if err := tx.GetContext(ctx, &right, `/* staff.ConfirmTOTP */ SELECT confirm_staff_totp($1)`, code); err != nil || !right {
			return err
		}
		return s.factorChangedTx(ctx, tx, of, "authenticator app added")
	})
	recordFactor(ctx, right && err == nil)
	return right && err == nil, err
}

// CodesTimeout limits NewRecoveryCodes. Its ten slow hashes take 0.2 s of a processor that has nothing else to do, and several
// times that on a busy machine: more than pg.RequestTimeout.
const CodesTimeout = 10 * time.Second

// NewRecoveryCodes replaces the recovery codes of the session's person and returns them as they are shown, once.
func (s Service) NewRecoveryCodes(ctx context.Context, of Session) (shown []string, err error) {
	codes := make([]string, 10)
	for n := range codes {
		var random [16]byte
		_, _ = rand.Read(random[:]) // documented never to fail
		text := strings.ToLower(base32NoPadding.EncodeToString(random[:]))[:16]
		codes[n] = string(rune('0'+n)) + text
		shown = append(shown, codes[n][:1]+"-"+text[:4]+"-"+text[4:8]+"-"+text[8:12]+"-"+text[12:])
	}
	ctx, cancel := context.WithTimeout(ctx, CodesTimeout)
	defer cancel()
	err = InTx(ctx, s.DB, of, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `SELECT set_config('statement_timeout', $1, true)`, CodesTimeout.String()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `/* staff.NewRecoveryCodes */ SELECT set_staff_recovery($1)`, stringArray(codes)); err != nil {
			return err
		}
		return s.recordTx(ctx, tx, Event{Act: "staff.recovery_codes_made", By: of.StaffID, About: of.StaffID})
	})
	if err != nil {
		return nil, err
	}
	return shown, nil
}

// Factors are the ways of a person to sign in.
type Factors struct {
	Passkeys   []Passkey
	PasswordAt *time.Time // nil: none
	TOTPAt     *time.Time // of an authenticator app; nil: none
	Recovery   int        // codes that are not used
}

// HasCode reports whether the person signs in by password and code.
func (f Factors) HasCode() bool { return f.PasswordAt != nil && f.TOTPAt != nil }

// FactorsOf returns the ways of a person to sign in.
func FactorsOf(ctx context.Context, q sqlx.QueryerContext, person uuid.UUID) (f Factors, err error) {
	const query = `/* staff.FactorsOf */ SELECT (SELECT set_at FROM staff_password WHERE staff_id = $1) AS password_at,
		(SELECT confirmed_at FROM staff_totp WHERE staff_id = $1 AND confirmed_at IS NOT NULL AND ended_at IS NULL) AS totp_at,
		(SELECT count(*) FROM staff_recovery WHERE staff_id = $1 AND used_at IS NULL AND ended_at IS NULL) AS recovery`
	var found struct {
		PasswordAt *time.Time `db:"password_at"`
		TOTPAt     *time.Time `db:"totp_at"`
		Recovery   int        `db:"recovery"`
	}
	if err := sqlx.GetContext(ctx, q, &found, query, person); err != nil {
		return f, err
	}
	f.PasswordAt, f.TOTPAt, f.Recovery = found.PasswordAt, found.TOTPAt, found.Recovery
	f.Passkeys, err = passkeysOf(ctx, q, person)
	return f, err
}

// EndPasskey removes a passkey of the session's person.
func (s Service) EndPasskey(ctx context.Context, of Session, id uuid.UUID) error {
	return s.endFactor(ctx, of, uuid.NullUUID{UUID: id, Valid: true}, "passkey removed")
}

// EndCode removes the password and the authenticator app of the session's person.
func (s Service) EndCode(ctx context.Context, of Session) error {
	return s.endFactor(ctx, of, uuid.NullUUID{}, "password and authenticator app removed")
}

func (s Service) endFactor(ctx context.Context, of Session, passkey uuid.NullUUID, what string) error {
	return InTx(ctx, s.DB, of, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `/* staff.endFactor */ SELECT end_staff_factor($1)`, passkey); err != nil {
			return err
		}
		return s.factorChangedTx(ctx, tx, of, what)
	})
}
