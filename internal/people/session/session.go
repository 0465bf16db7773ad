package session

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/keyring"
	"konbit/internal/platform/pg"
)

// Service opens, finds and ends the sessions of one kind of person. It is safe for concurrent use, and by any number
// of servers on one database.
type Service struct {
	DB    *sqlx.DB
	Keys  keyring.Ring // sign form tokens; all servers have the same
	NewID func() uuid.UUID
	Kind  Kind
}

// Kind is a kind of person who signs in.
type Kind struct {
	purpose string // part of each hash and signature; stored hashes contain it, so it never changes
	limits  Limits
	table   table
}

// Limits say when a session ends by itself.
type Limits struct {
	IdleTimeout  time.Duration // since the last request
	MaxLifetime  time.Duration // since it was opened
	SeenInterval time.Duration // the time of the last request is written at most this often
	FreshFor     time.Duration // how long after it was opened a session may change how its person signs in
	MaxOpen      int           // sessions of one person; when one more is opened, the one unused for longest ends
}

// Limits returns when sessions of this kind end. Cookies last for MaxLifetime.
func (k Kind) Limits() Limits { return k.limits }

// table runs the statements on the table of one kind of person. Functions that end in Tx write.
type table interface {
	insertTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, hash []byte, o Opening) (Session, error)
	find(ctx context.Context, q sqlx.QueryerContext, hash []byte, l Limits) (found, error)
	updateSeenTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID) error
	endTx(ctx context.Context, tx *sqlx.Tx, hash []byte) (int64, error)
	endOneTx(ctx context.Context, tx *sqlx.Tx, person, id uuid.UUID) (int64, error)
	endSurplusTx(ctx context.Context, tx *sqlx.Tx, person uuid.UUID, l Limits) error
	endAllTx(ctx context.Context, tx *sqlx.Tx, person uuid.UUID, email string) (int64, error)
	list(ctx context.Context, q sqlx.QueryerContext, person uuid.UUID) ([]Record, error)
	listOpen(ctx context.Context, q sqlx.QueryerContext, person uuid.UUID, l Limits) ([]Open, error)
	deleteExpiredTx(ctx context.Context, tx *sqlx.Tx, l Limits) error
}

// Session is an open session.
type Session struct {
	ID       uuid.UUID `db:"id"`
	PersonID uuid.UUID `db:"person_id"`
	Email    string    `db:"email"`      // the address that was proved to open it
	ProofID  uuid.UUID `db:"sign_in_id"` // of the sign-in that opened it
	OpenedAt time.Time `db:"opened_at"`
	// Fresh: it was opened less than Limits.FreshFor ago, so that its person proved recently who they are.
	Fresh bool `db:"fresh"`
}

// Open is an open session as its person sees it.
type Open struct {
	ID       uuid.UUID `db:"id"`
	OpenedAt time.Time `db:"opened_at"`
	SeenAt   time.Time `db:"seen_at"` // the last request, to Limits.SeenInterval
}

// Opening is what a new session is opened for.
type Opening struct {
	PersonID uuid.UUID
	Email    string
	ProofID  uuid.UUID // of the sign-in that proved the person; each proof opens one session
}

// Record is a session as its person may see it in a copy of their data.
type Record struct {
	Email  string     `db:"email" json:"email"`
	Opened time.Time  `db:"opened_at" json:"opened"`
	Seen   time.Time  `db:"seen_at" json:"seen"`
	Ended  *time.Time `db:"ended_at" json:"ended,omitempty"`
}

type found struct {
	Session
	SeenLongAgo bool `db:"seen_long_ago"` // longer ago than Limits.SeenInterval
}

// errNotFound is the same for a wrong secret and for a session that has ended.
var errNotFound error = fault.New(fault.NotFound, "problem.404.text", nil)

// OpenTx opens a session and returns it with the secret for its cookie. The secret is stored nowhere. If the person has
// more than Limits.MaxOpen open sessions then, those that were unused for longest end. Two that are opened at the same
// moment do not see each other.
func (s Service) OpenTx(ctx context.Context, tx *sqlx.Tx, o Opening) (Session, string, error) {
	secret := NewSecret()
	opened, err := s.Kind.table.insertTx(ctx, tx, s.NewID(), s.hash(secret), o)
	if err != nil {
		return opened, "", err
	}
	return opened, secret, s.Kind.table.endSurplusTx(ctx, tx, o.PersonID, s.Kind.limits)
}

// Find returns the open session with that secret; fault.NotFound if there is none.
func (s Service) Find(ctx context.Context, secret string) (Session, error) {
	f, err := s.Kind.table.find(ctx, s.DB, s.hash(secret), s.Kind.limits)
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, errNotFound
	}
	if err == nil && f.SeenLongAgo {
		err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error { return s.Kind.table.updateSeenTx(ctx, tx, f.ID) })
	}
	return f.Session, err
}

// End ends the session with that secret. It does nothing if there is none.
func (s Service) End(ctx context.Context, secret string) error {
	return pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		_, err := s.Kind.table.endTx(ctx, tx, s.hash(secret))
		return err
	})
}

// EndOne ends an open session of a person by its id; fault.NotFound if there is none.
func (s Service) EndOne(ctx context.Context, person, id uuid.UUID) error {
	return pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		ended, err := s.Kind.table.endOneTx(ctx, tx, person, id)
		if err == nil && ended == 0 {
			err = errNotFound
		}
		return err
	})
}

// EndOfPerson ends all sessions of a person, on every device, and returns how many it ended.
func (s Service) EndOfPerson(ctx context.Context, person uuid.UUID) (ended int64, err error) {
	err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		ended, err = s.EndOfPersonTx(ctx, tx, person)
		return err
	})
	return ended, err
}

// EndOfPersonTx ends all sessions of a person, on every device, and returns how many it ended.
func (s Service) EndOfPersonTx(ctx context.Context, tx *sqlx.Tx, person uuid.UUID) (int64, error) {
	return s.Kind.table.endAllTx(ctx, tx, person, "")
}

// EndOfEmailTx ends all sessions that an address opened, for any person, and returns how many it ended.
func (s Service) EndOfEmailTx(ctx context.Context, tx *sqlx.Tx, email string) (int64, error) {
	return s.Kind.table.endAllTx(ctx, tx, uuid.Nil, email)
}

// EndAllTx ends all sessions of a person, and those that an address opened for any person, and returns how many it
// ended.
func (s Service) EndAllTx(ctx context.Context, tx *sqlx.Tx, person uuid.UUID, email string) (int64, error) {
	return s.Kind.table.endAllTx(ctx, tx, person, email)
}

// List returns the sessions of a person, open and ended, oldest first.
func (s Service) List(ctx context.Context, q sqlx.QueryerContext, person uuid.UUID) ([]Record, error) {
	return s.Kind.table.list(ctx, q, person)
}

// ListOpen returns the open sessions of a person, the newest first.
func (s Service) ListOpen(ctx context.Context, person uuid.UUID) ([]Open, error) {
	return s.Kind.table.listOpen(ctx, s.DB, person, s.Kind.limits)
}

// DeleteExpiredTx deletes sessions 30 days after their end.
func (s Service) DeleteExpiredTx(ctx context.Context, tx *sqlx.Tx) error {
	return s.Kind.table.deleteExpiredTx(ctx, tx, s.Kind.limits)
}
