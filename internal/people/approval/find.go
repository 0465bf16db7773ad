package approval

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// State is where a request stands.
type State string

// States of requests.
const (
	Open      State = "open"
	Executed  State = "executed"
	Declined  State = "declined"
	Withdrawn State = "withdrawn"
	Expired   State = "expired"
)

// Stored is a request as it is stored.
type Stored struct {
	Request
	StoredHash  []byte    `db:"hash"` // Hash, unless the row was changed
	Factor      string    `db:"factor"`
	Assertion   *string   `db:"assertion"` // of the requester's passkey
	RequestedAt time.Time `db:"requested_at"`
	ExpiresAt   time.Time `db:"expires_at"`
	State       State     `db:"state"`
	Approved    int       `db:"approved"` // approvals so far
}

const columns = `r.id, r.entity_id, r.organisation_id, r.kind, r.subject, r.body, r.hash, r.needs, r.requested_by, r.factor, r.assertion::text, r.requested_at, r.expires_at,
	CASE WHEN r.executed_at IS NOT NULL THEN 'executed' WHEN r.declined_at IS NOT NULL THEN 'declined' WHEN r.withdrawn_at IS NOT NULL THEN 'withdrawn'
	     WHEN r.expires_at <= now() THEN 'expired' ELSE 'open' END AS state,
	(SELECT count(*) FROM approval a WHERE a.request_id = r.id AND a.decision = 'approve') AS approved`

// ByID returns a request; sql.ErrNoRows if there is none that q may see. Pages for staff pass the transaction of
// staff.ReadTx.
func ByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (r Stored, err error) {
	const query = `/* approval.ByID */ SELECT ` + columns + ` FROM approval_request r WHERE r.id = $1`
	err = sqlx.GetContext(ctx, q, &r, query, id)
	return r, err
}

// OpenOf returns the open requests of an entity, the oldest first.
func OpenOf(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID) (all []Stored, err error) {
	const query = `/* approval.OpenOf */ SELECT ` + columns + ` FROM approval_request r
		WHERE r.entity_id = $1 AND r.executed_at IS NULL AND r.declined_at IS NULL AND r.withdrawn_at IS NULL AND r.expires_at > now()
		ORDER BY r.requested_at, r.id`
	err = sqlx.SelectContext(ctx, q, &all, query, entity)
	return all, err
}

// Decision is what one person decided about a request.
type Decision struct {
	StaffID   uuid.NullUUID `db:"staff_id"` // null: an operator
	PersonID  uuid.NullUUID `db:"person_id"`
	Decision  string        `db:"decision"` // approve, decline
	Factor    *string       `db:"factor"`   // totp, passkey
	Assertion *string       `db:"assertion"`
	Reason    string        `db:"reason"`
	At        time.Time     `db:"at"`
}

// Decisions returns what others decided about a request, in the order in which they did.
func Decisions(ctx context.Context, q sqlx.QueryerContext, request uuid.UUID) (all []Decision, err error) {
	const query = `/* approval.Decisions */ SELECT staff_id, person_id, decision, factor, assertion::text, reason, at FROM approval WHERE request_id = $1 ORDER BY n`
	err = sqlx.SelectContext(ctx, q, &all, query, request)
	return all, err
}
