package approval

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/pg"
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

// OwnOf returns the requests of a person, under whichever account, that are open or were approved or declined in the last three
// days, the newest first.
func OwnOf(ctx context.Context, q sqlx.QueryerContext, entity, staff uuid.UUID) (all []Stored, err error) {
	const query = `/* approval.OwnOf */ SELECT ` + columns + ` FROM approval_request r
		WHERE r.entity_id = $1 AND r.requested_at > now() - interval '17 days' AND staff_person_of(r.requested_by) = staff_person_of($2)
		  AND r.withdrawn_at IS NULL AND coalesce(r.executed_at, r.declined_at, r.expires_at) > now() - CASE WHEN num_nonnulls(r.executed_at, r.declined_at) = 0
		      THEN interval '0' ELSE interval '3 days' END
		ORDER BY r.requested_at DESC, r.id DESC LIMIT 50`
	err = sqlx.SelectContext(ctx, q, &all, query, entity, staff)
	return all, err
}

// OpenOnes returns those of some requests that are open, the oldest first.
func OpenOnes(ctx context.Context, q sqlx.QueryerContext, ids []uuid.UUID) (all []Stored, err error) {
	const query = `/* approval.OpenOnes */ SELECT ` + columns + ` FROM approval_request r
		WHERE r.id = ANY ($1::uuid[]) AND r.executed_at IS NULL AND r.declined_at IS NULL AND r.withdrawn_at IS NULL AND r.expires_at > now()
		ORDER BY r.requested_at, r.id`
	err = sqlx.SelectContext(ctx, q, &all, query, pg.UUIDs(ids))
	return all, err
}

// The lists of requests that pages show.
const (
	Waiting = "waiting" // open, and for this person to decide
	Mine    = "mine"    // that this person requested
	Decided = "decided" // not open any more
	All     = "all"
)

// Filter chooses requests of a scope. Its lists are about a person.
type Filter struct {
	EntityID       uuid.UUID
	OrganisationID uuid.UUID // uuid.Nil: of the whole entity
	StaffID        uuid.UUID
	List           string // one of the lists
	Kinds          []Kind // that the person may decide, for Waiting
	After          *Place // nil: from the newest
	Limit          int
}

// Place is a place in the list, the newest first.
type Place struct {
	At time.Time `json:"at"`
	ID uuid.UUID `json:"id"`
}

// Find returns requests, the newest first. Waiting leaves out those that concern the person, under whichever account, and
// those that the person approved.
func Find(ctx context.Context, q sqlx.QueryerContext, f Filter) (all []Stored, err error) {
	const query = `/* approval.Find */ SELECT ` + columns + ` FROM approval_request r
		WHERE r.entity_id = $1 AND ($2::uuid IS NULL OR r.organisation_id = $2) AND ($3::timestamptz IS NULL OR (r.requested_at, r.id) < ($3, $4))
		  AND CASE $5 WHEN 'all' THEN true
		      WHEN 'mine' THEN staff_person_of(r.requested_by) = staff_person_of($6)
		      WHEN 'decided' THEN num_nonnulls(r.executed_at, r.declined_at, r.withdrawn_at) > 0 OR r.expires_at <= now()
		      ELSE num_nonnulls(r.executed_at, r.declined_at, r.withdrawn_at) = 0 AND r.expires_at > now() AND r.kind = ANY ($7)
		           AND staff_person_of(r.requested_by) <> staff_person_of($6) AND NOT (r.kind = 'roles' AND r.subject = $6::text)
		           AND NOT EXISTS (SELECT FROM approval a WHERE a.request_id = r.id AND a.person_id = staff_person_of($6)) END
		ORDER BY r.requested_at DESC, r.id DESC LIMIT $8`
	var at *time.Time
	var id uuid.UUID
	if f.After != nil {
		at, id = &f.After.At, f.After.ID
	}
	kinds := make(pq.StringArray, len(f.Kinds))
	for i, kind := range f.Kinds {
		kinds[i] = string(kind)
	}
	organisation := uuid.NullUUID{UUID: f.OrganisationID, Valid: f.OrganisationID != uuid.Nil}
	err = sqlx.SelectContext(ctx, q, &all, query, f.EntityID, organisation, at, id, f.List, f.StaffID, kinds, f.Limit)
	return all, err
}
