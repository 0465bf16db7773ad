package guard

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

// MaxPassLifetime is the longest lifetime of a pass; a constraint of the table repeats it.
const MaxPassLifetime = 8 * time.Hour

// Pass lets one tablet at an event give without the limits of its address and network. Only the hash of its token is
// stored, and its times are the database's.
type Pass struct {
	ID             uuid.UUID  `db:"id" json:"id"`
	OrganisationID uuid.UUID  `db:"organisation_id" json:"-"`
	OpenedAt       time.Time  `db:"opened_at" json:"opened_at"`
	ExpiresAt      time.Time  `db:"expires_at" json:"expires_at"`
	ClosedAt       *time.Time `db:"closed_at" json:"closed_at"`
	Ended          bool       `db:"over" json:"over"` // expired or closed
	Devices        int        `db:"devices" json:"devices"`
	Gifts          int        `db:"gifts" json:"gifts"`
}

// Shown returns the pass with its times as another clock shows them.
func (p Pass) Shown(shown func(time.Time) time.Time) Pass {
	p.OpenedAt, p.ExpiresAt = shown(p.OpenedAt), shown(p.ExpiresAt)
	if p.ClosedAt != nil {
		closed := shown(*p.ClosedAt)
		p.ClosedAt = &closed
	}
	return p
}

// The kinds of rows in event_pass_step, which is append-only. Rows hold these values.
const (
	passOpened = "opened"
	passDevice = "device" // the link was opened on a device
	passGift   = "gift"   // an attempt to give was allowed
	passClosed = "closed"
)

// OpenPass creates a pass for an organisation and returns it with the token for its link, which is not stored. life
// is in whole seconds, at most MaxPassLifetime.
func OpenPass(ctx context.Context, db *sqlx.DB, id, organisation uuid.UUID, life time.Duration) (Pass, string, error) {
	const query = `/* guard.OpenPass */
		INSERT INTO event_pass (id, organisation_id, token_hash, expires_at) VALUES ($1, $2, $3, now() + make_interval(secs => $4))
		RETURNING id, organisation_id, opened_at, expires_at`
	var secret [16]byte
	_, _ = rand.Read(secret[:]) // documented never to fail
	token := base64.RawURLEncoding.EncodeToString(secret[:])
	var p Pass
	err := pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		if err := tx.GetContext(ctx, &p, query, id, organisation, hashOf(token), life.Seconds()); err != nil {
			return err
		}
		return recordPassEventTx(ctx, tx, id, passOpened)
	})
	return p, token, err
}

func hashOf(token string) []byte {
	sum := sha256.Sum256([]byte("event pass " + token))
	return sum[:]
}

const passColumns = `p.id, p.organisation_id, p.opened_at, p.expires_at, s.closed_at, s.devices, s.gifts,
	s.closed_at IS NOT NULL OR p.expires_at <= now() AS over
	FROM event_pass p CROSS JOIN LATERAL (
	    SELECT min(at) FILTER (WHERE kind = 'closed') AS closed_at, count(*) FILTER (WHERE kind = 'device') AS devices,
	           count(*) FILTER (WHERE kind = 'gift') AS gifts
	      FROM event_pass_step WHERE pass_id = p.id) s`

// Passes returns all passes, newest first.
func Passes(ctx context.Context, db *sqlx.DB) (all []Pass, err error) {
	const query = `/* guard.Passes */ SELECT ` + passColumns + ` ORDER BY p.opened_at DESC, p.id`
	return all, db.SelectContext(ctx, &all, query)
}

// ClosePass ends a pass now. It does nothing if the pass has ended, and returns fault.NotFound if there is none.
func ClosePass(ctx context.Context, db *sqlx.DB, id uuid.UUID) error {
	const query = `/* guard.ClosePass */ SELECT ` + passColumns + ` WHERE p.id = $1`
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		var p Pass
		err := tx.GetContext(ctx, &p, query, id)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "problem.404.text", nil)
		}
		if err != nil || p.Ended {
			return err
		}
		return recordPassEventTx(ctx, tx, id, passClosed)
	})
}

// FindPass returns the open pass of an organisation with that token; fault.NotFound if there is none.
func FindPass(ctx context.Context, db *sqlx.DB, organisation uuid.UUID, token string) (Pass, error) {
	const query = `/* guard.FindPass */
		SELECT p.id, p.organisation_id, p.opened_at, p.expires_at FROM event_pass p
		 WHERE p.token_hash = $1 AND p.organisation_id = $2 AND p.expires_at > now()
		   AND NOT EXISTS (SELECT 1 FROM event_pass_step s WHERE s.pass_id = p.id AND s.kind = 'closed')`
	var p Pass
	err := db.GetContext(ctx, &p, query, hashOf(token), organisation)
	if errors.Is(err, sql.ErrNoRows) {
		err = fault.New(fault.NotFound, "problem.404.text", nil)
	}
	return p, err
}

// RecordDevice records that the link of a pass was opened on a device.
func RecordDevice(ctx context.Context, db *sqlx.DB, pass uuid.UUID) error {
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error { return recordPassEventTx(ctx, tx, pass, passDevice) })
}

func recordPassEventTx(ctx context.Context, tx *sqlx.Tx, pass uuid.UUID, kind string) error {
	const query = `/* guard.recordPassEventTx */ INSERT INTO event_pass_step (pass_id, kind) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	_, err := tx.ExecContext(ctx, query, pass, kind)
	return err
}
