package audit

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Entry is an entry of the log.
type Entry struct {
	Serial         int64         `db:"serial" json:"serial"`
	At             time.Time     `db:"at" json:"at"`
	StaffID        uuid.NullUUID `db:"staff_id" json:"staff"` // null: an operator, or the program itself
	Operator       bool          `db:"operator" json:"operator"`
	Act            string        `db:"act" json:"act"`
	EntityID       uuid.NullUUID `db:"entity_id" json:"entity"`
	OrganisationID uuid.NullUUID `db:"organisation_id" json:"organisation"`
	ObjectKind     string        `db:"object_kind" json:"object_kind"`
	ObjectID       string        `db:"object_id" json:"object"`
	Before         *string       `db:"before" json:"before"` // JSON
	After          *string       `db:"after" json:"after"`   // JSON
	Reason         string        `db:"reason" json:"reason"`
}

// Filter selects entries. The zero value of a field selects all.
type Filter struct {
	EntityID   uuid.NullUUID
	StaffID    uuid.NullUUID
	Act        string // the act, or the first words of it: "refund" finds "refund.ordered"
	ObjectKind string
	ObjectID   string
	From, To   time.Time // From ≤ at < To
	Before     int64     // serial: the page before this entry
	Limit      int
}

// Find returns entries, the newest first. q decides which rows it may see: pages for staff pass the transaction of
// staff.ReadTx.
func Find(ctx context.Context, q sqlx.QueryerContext, f Filter) (found []Entry, err error) {
	const query = `/* audit.Find */
		SELECT serial, at, staff_id, operator, act, entity_id, organisation_id, object_kind, object_id, before::text, after::text, reason
		  FROM audit_entry
		 WHERE ($1::uuid IS NULL OR entity_id = $1) AND ($2::uuid IS NULL OR staff_id = $2)
		   AND ($3 = '' OR act = $3 OR starts_with(act, $3 || '.')) AND ($4 = '' OR object_kind = $4) AND ($5 = '' OR object_id = $5)
		   AND ($6::timestamptz IS NULL OR at >= $6) AND ($7::timestamptz IS NULL OR at < $7) AND ($8 = 0 OR serial < $8)
		 ORDER BY serial DESC LIMIT $9`
	err = sqlx.SelectContext(ctx, q, &found, query, f.EntityID, f.StaffID, f.Act, f.ObjectKind, f.ObjectID, nullTime(f.From), nullTime(f.To), f.Before, f.Limit)
	return found, err
}

// OperatorActs returns the acts of operators that concern an entity, or the whole installation, in the order in which
// they were recorded: those that head seals and the head before it does not. previous is nil if there is none.
func OperatorActs(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, previous, head *Head) (found []Entry, err error) {
	const query = `/* audit.OperatorActs */
		SELECT a.serial, a.at, a.staff_id, a.operator, a.act, a.entity_id, a.organisation_id, a.object_kind, a.object_id, a.before::text, a.after::text, a.reason
		  FROM audit_entry a JOIN audit_seal s USING (serial)
		 WHERE a.operator AND (a.entity_id IS NULL OR a.entity_id = $1) AND s.n > $2 AND s.n <= $3
		 ORDER BY s.n LIMIT 1000`
	from := int64(0)
	if previous != nil {
		from = previous.N
	}
	err = sqlx.SelectContext(ctx, q, &found, query, entity, from, head.N)
	return found, err
}

func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
