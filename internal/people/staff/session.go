package staff

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/people/session"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/pg"
)

// purpose is part of each hash and signature; stored hashes contain it, so it never changes.
const purpose = "konbit staff"

// Lifetime is how long a session lasts, whatever is done in it.
const Lifetime = 12 * time.Hour

// The stages of a session.
const (
	StageFirst = "first" // of an invitation: only a factor can be set up
	StageFull  = "full"
)

// Session is an open session.
type Session struct {
	ID         uuid.UUID `db:"id"`
	StaffID    uuid.UUID `db:"staff_id"`
	Name       string    `db:"name"`
	Email      string    `db:"email"`
	Language   string    `db:"language"`
	BreakGlass bool      `db:"break_glass"` // an emergency access
	Stage      string    `db:"stage"`
	Invitation *string   `db:"invitation"` // the kind of the invitation that opened it; nil: none did

	FactorAt      *time.Time `db:"factor_at"` // when a factor was used last; nil: never
	FactorKind    *string    `db:"factor_kind"`
	FactorIsFresh bool       `db:"factor_is_fresh"` // a passkey or a code was used in the last five minutes
	OpenedAt      time.Time  `db:"made_at"`
	EndsAt        time.Time  `db:"ends_at"`

	Roles []Role // that the person holds now

	hash []byte
}

// IsFull reports whether the person proved who they are with all that is needed.
func (s Session) IsFull() bool { return s.Stage == StageFull }

// UsedRecovery reports whether a recovery code opened the session.
func (s Session) UsedRecovery() bool { return s.FactorKind != nil && *s.FactorKind == "recovery" }

// LimitSubject returns what limits of acts count: the person.
func (s Session) LimitSubject() string { return "staff " + s.StaffID.String() }

// Open returns the full session with the secret of a cookie; fault.NotFound if there is none.
func (s Service) Open(ctx context.Context, cookie string) (Session, error) {
	opened, err := s.OpenAny(ctx, cookie)
	if err == nil && !opened.IsFull() {
		return Session{}, errNotFound
	}
	return opened, err
}

// OpenAny is Open for a session of any stage.
func (s Service) OpenAny(ctx context.Context, cookie string) (found Session, err error) {
	const query = `/* staff.OpenAny */ SELECT id, staff_id, name, email, language, break_glass, stage, invitation,
		factor_at, factor_kind, factor_is_fresh, made_at, ends_at FROM see_staff_session()`
	hash := hashOf("session", cookie)
	err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		if err := setSession(ctx, tx, hash); err != nil {
			return err
		}
		if err := tx.GetContext(ctx, &found, query); err != nil {
			return notFoundIfNone(err)
		}
		found.Roles, err = RolesOf(ctx, tx, found.StaffID)
		return err
	})
	found.hash = hash
	return found, err
}

// hashOf returns the stored hash of a secret. What it is of separates the hashes of different uses.
func hashOf(of, secret string) []byte { return session.HashSecret(purpose+" "+of, secret) }

// setSession says to the database whose session the transaction is.
func setSession(ctx context.Context, tx *sqlx.Tx, hash []byte) error {
	_, err := tx.ExecContext(ctx, `/* staff.setSession */ SELECT set_config('konbit.staff_session', $1, true)`, hex.EncodeToString(hash))
	return err
}

// InTx runs fn in a transaction of a session: the database's functions for staff know who acts.
func InTx(ctx context.Context, db *sqlx.DB, of Session, fn func(tx *sqlx.Tx) error) error {
	return explained(pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		if err := setSession(ctx, tx, of.hash); err != nil {
			return err
		}
		return fn(tx)
	}))
}

// ReadTx is InTx as the role konbit_office, which reads only rows of the scopes in which the session's person holds a role.
func ReadTx(ctx context.Context, db *sqlx.DB, of Session, fn func(tx *sqlx.Tx) error) error {
	return InTx(ctx, db, of, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `/* staff.ReadTx */ SET LOCAL ROLE konbit_office`); err != nil {
			return err
		}
		return fn(tx)
	})
}

// FormToken returns the token that each form of a session must send back, so that another site cannot send the form.
func (s Service) FormToken(of Session) string {
	return base64.RawURLEncoding.EncodeToString(s.Keys.Sign(purpose, "form", of.ID.String()))
}

// IsFormToken reports whether token is the session's form token.
func (s Service) IsFormToken(of Session, token string) bool {
	tag, err := base64.RawURLEncoding.Strict().DecodeString(token)
	return err == nil && s.Keys.Verify(tag, purpose, "form", of.ID.String())
}

// Client is where a request comes from.
type Client struct {
	Address netip.Addr
	Device  string // browser and operating system
}

// network returns what is stored of an address, a /24 or /48.
func (c Client) network() string {
	if !c.Address.IsValid() {
		return ""
	}
	return guard.NetworkKey(c.Address)
}

// beginTx opens a session of stage first and makes the transaction the session's. It returns the secret for the cookie.
func (s Service) beginTx(ctx context.Context, tx *sqlx.Tx, person uuid.UUID, from Client) (opened Session, secret string, err error) {
	const query = `/* staff.beginTx */ SELECT begin_staff_session($1, $2, $3, $4, $5)`
	secret = session.NewSecret()
	opened = Session{ID: s.NewID(), StaffID: person, hash: hashOf("session", secret)}
	if _, err = tx.ExecContext(ctx, query, opened.ID, person, opened.hash, from.Device, from.network()); err != nil {
		return opened, "", err
	}
	return opened, secret, setSession(ctx, tx, opened.hash)
}

// SignOut ends a session.
func (s Service) SignOut(ctx context.Context, of Session) error {
	return s.endSessions(ctx, of, of.StaffID, uuid.NullUUID{UUID: of.ID, Valid: true}, "signed out")
}

// EndOwn ends one of the sessions of a session's person; fault.NotFound if there is none with that id.
func (s Service) EndOwn(ctx context.Context, of Session, id uuid.UUID) error {
	return s.endSessions(ctx, of, of.StaffID, uuid.NullUUID{UUID: id, Valid: true}, "ended by the person")
}

// EndSessions ends all sessions of a person, as one of their admins; fault.NotFound if there is none.
func (s Service) EndSessions(ctx context.Context, of Session, person uuid.UUID) error {
	return s.endSessions(ctx, of, person, uuid.NullUUID{}, "ended by an admin")
}

func (s Service) endSessions(ctx context.Context, of Session, person uuid.UUID, one uuid.NullUUID, because string) error {
	const query = `/* staff.endSessions */ SELECT end_staff_sessions($1, $2, $3)`
	return InTx(ctx, s.DB, of, func(tx *sqlx.Tx) error {
		var ended int64
		if err := tx.GetContext(ctx, &ended, query, person, one, because); err != nil {
			return err
		}
		if ended == 0 {
			return errNotFound
		}
		if one.Valid && person == of.StaffID {
			return nil
		}
		return s.recordTx(ctx, tx, Event{Act: "staff.sessions_ended", By: of.StaffID, About: person})
	})
}

// Device is an open session as its person sees it.
type Device struct {
	ID       uuid.UUID `db:"id"`
	OpenedAt time.Time `db:"made_at"`
	SeenAt   time.Time `db:"seen_at"`
	Device   string    `db:"device"`
	Network  string    `db:"network"`
}

// Devices returns the open sessions of a person, the newest first.
func Devices(ctx context.Context, q sqlx.QueryerContext, person uuid.UUID) (all []Device, err error) {
	const query = `/* staff.Devices */ SELECT id, made_at, seen_at, device, network FROM staff_session
		WHERE staff_id = $1 AND ended_at IS NULL AND ends_at > now() AND seen_at > now() - interval '60 minutes' ORDER BY made_at DESC, id`
	err = sqlx.SelectContext(ctx, q, &all, query, person)
	return all, err
}

// DeleteExpired deletes sessions that ended or expired 30 days ago, and challenges that expired a day ago.
func (s Service) DeleteExpired(ctx context.Context) error {
	return pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `/* staff.DeleteExpired */ SELECT delete_old_staff_sessions()`)
		return err
	})
}
