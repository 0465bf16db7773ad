package staff

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/email"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/securitylog"
)

// Limits of tries. A network that tries too often waits; others, and other persons in it, sign in as before. Nobody who
// lacks the password, or a recovery code of a person without one, can use up the tries of codes.
var (
	signInsOfNetwork = guard.Limit{Max: 60, Window: 15 * time.Minute}
	signInsOfAddress = guard.Limit{Max: 10, Window: 15 * time.Minute} // of one address, in one network
	codesOfPerson    = guard.Limit{Max: 30, Window: time.Hour}        // after the right password
)

// ErrWrong means that the address, the password or the code is wrong. It does not say which.
var ErrWrong error = fault.New(fault.Invalid, "office.sign_in.wrong", nil)

// Limited is the error of a try beyond a limit.
type Limited struct {
	Wait time.Duration // after which one more is within the limit
}

func (Limited) Error() string { return "staff: too many tries" }

// Attempt is what a person typed to sign in.
type Attempt struct {
	Email, Password string
	Code            string // of an authenticator app, or a recovery code
	From            Client
}

var (
	totpCode     = regexp.MustCompile(`^[0-9]{6}$`)
	recoveryCode = regexp.MustCompile(`^[0-9][a-z2-7]{16}$`)
)

// cleanCode returns a typed code without spaces and dashes, in lower case.
func cleanCode(typed string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(strings.TrimSpace(typed)))
}

// allow counts a try under the quotas and returns Limited if it is beyond one.
func (s Service) allow(ctx context.Context, name string, all ...guard.Quota) error {
	allowed, wait, err := s.Guard.AllowFirst(ctx, all)
	if err == nil && !allowed {
		securitylog.Limit(ctx, name)
		err = Limited{wait}
	}
	return err
}

// SignIn opens a session by password and code, and returns the secret for its cookie. Instead of the code, a recovery code
// is accepted; with it, a person who has no password needs none.
func (s Service) SignIn(ctx context.Context, a Attempt) (opened Session, secret string, err error) {
	const query = `/* staff.SignIn */ SELECT m.id, coalesce(w.hash, '') AS hash FROM staff m LEFT JOIN staff_password w ON w.staff_id = m.id
		WHERE m.email = $1 AND m.disabled_at IS NULL AND NOT m.break_glass`
	address, code := email.Normalize(a.Email), cleanCode(a.Code)
	network := guard.NetworkKey(a.From.Address)
	err = s.allow(ctx, "staff sign-ins", guard.Quota{Kind: "staff network", Subject: network, Limit: signInsOfNetwork},
		guard.Quota{Kind: "staff address", Subject: address + " " + network, Limit: signInsOfAddress})
	if err != nil {
		return Session{}, "", err
	}
	var found struct {
		ID   uuid.UUID `db:"id"`
		Hash string    `db:"hash"`
	}
	if err := s.DB.GetContext(ctx, &found, query, address); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Session{}, "", err
	}
	right, byRecovery := isPassword(found.Hash, a.Password), false
	if !right && recoveryCode.MatchString(code) {
		// Also without a person, or with one who has a password: nobody sees the difference. Beyond the limits above a wrong
		// code spends nothing, opens no session and ends none.
		person := uuid.NullUUID{UUID: found.ID, Valid: found.ID != uuid.Nil && found.Hash == ""}
		if err := s.DB.GetContext(ctx, &byRecovery, `/* staff.SignIn recovery */ SELECT is_staff_recovery($1, $2)`, person, code); err != nil {
			return Session{}, "", err
		}
	}
	if !right && !byRecovery {
		securitylog.Record(ctx, securitylog.StaffSignInWrong)
		return Session{}, "", ErrWrong
	}
	if right {
		err = s.allow(ctx, "staff codes", guard.Quota{Kind: "staff codes", Subject: found.ID.String(), Limit: codesOfPerson})
		if err != nil {
			return Session{}, "", err
		}
	}
	accepted := false
	err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		if opened, secret, err = s.beginTx(ctx, tx, found.ID, a.From); err != nil {
			return err
		}
		if accepted, err = s.acceptTx(ctx, tx, opened, code); err != nil || accepted {
			return err
		}
		const end = `/* staff.SignIn end */ SELECT end_staff_sessions($1, $2, 'wrong code')`
		_, err = tx.ExecContext(ctx, end, opened.StaffID, opened.ID)
		return err
	})
	if err = explained(err); err != nil {
		return Session{}, "", err
	}
	if !accepted {
		securitylog.Record(ctx, securitylog.FactorWrong)
		return Session{}, "", ErrWrong
	}
	securitylog.Record(ctx, securitylog.StaffSignedIn)
	return opened, secret, nil
}

// acceptTx reports whether a code is right for the session of the transaction, of either kind, and uses it up.
func (s Service) acceptTx(ctx context.Context, tx *sqlx.Tx, of Session, code string) (accepted bool, err error) {
	switch {
	case totpCode.MatchString(code):
		err = tx.GetContext(ctx, &accepted, `/* staff.acceptTx totp */ SELECT staff_check_code($1)`, code)
	case recoveryCode.MatchString(code):
		err = tx.GetContext(ctx, &accepted, `/* staff.acceptTx recovery */ SELECT use_staff_recovery($1)`, code)
		if err == nil && accepted {
			if err = s.recordTx(ctx, tx, Event{Act: "staff.recovery_used", By: of.StaffID, About: of.StaffID}); err == nil {
				err = s.tellTx(ctx, tx, EmailRecovery, of.StaffID)
			}
		}
	}
	return accepted, err
}

// ProveByCode reports whether a code of an authenticator app is right. If so, the session has a fresh factor.
func (s Service) ProveByCode(ctx context.Context, of Session, typed string) (right bool, err error) {
	code := cleanCode(typed)
	if !totpCode.MatchString(code) {
		return false, nil
	}
	err = InTx(ctx, s.DB, of, func(tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &right, `/* staff.ProveByCode */ SELECT staff_check_code($1)`, code)
	})
	recordFactor(ctx, right && err == nil)
	return right, err
}

// recordFactor tells the security log whether a factor was right.
func recordFactor(ctx context.Context, right bool) {
	if right {
		securitylog.Record(ctx, securitylog.FactorUsed)
	} else {
		securitylog.Record(ctx, securitylog.FactorWrong)
	}
}
