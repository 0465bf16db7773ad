package audit

import (
	"context"
	"strconv"
	"strings"
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
	EntityID       uuid.NullUUID
	OrganisationID uuid.NullUUID
	Installation   bool // with EntityID: also entries about the whole installation
	StaffID        uuid.NullUUID
	Operator       bool   // only those of operators
	Act            string // the act, or the first words of it: "refund" finds "refund.ordered"
	ObjectKind     string
	ObjectID       string    // the object's id, or its beginning
	From, To       time.Time // From ≤ at < To
	Before         int64     // serial: the page before this entry
	Limit          int
}

// Find returns entries, the newest first. tx decides which rows it may see: pages for staff pass the transaction of
// staff.ReadTx. It asks the database for no more than the filter has, so that each search uses its index.
func Find(ctx context.Context, tx *sqlx.Tx, f Filter) (found []Entry, err error) {
	const query = `/* audit.Find */ SELECT serial, at, staff_id, operator, act, entity_id, organisation_id, object_kind, object_id, before::text, after::text, reason
		FROM audit_entry WHERE true`
	var where strings.Builder
	var args []any
	and := func(used bool, condition string, arg any) {
		if used {
			args = append(args, arg)
			where.WriteString(" AND " + strings.ReplaceAll(condition, "?", "$"+strconv.Itoa(len(args))))
		}
	}
	and(f.EntityID.Valid && f.Installation, "coalesce(entity_id, ?) = ?", f.EntityID) // most entries fit, so no index helps: others do
	and(f.EntityID.Valid && !f.Installation, "entity_id = ?", f.EntityID)
	and(f.OrganisationID.Valid, "organisation_id = ?", f.OrganisationID)
	and(f.StaffID.Valid, "staff_id = ?", f.StaffID)
	and(f.Operator, "operator = ?", true)
	and(strings.Contains(f.Act, "."), "act = ?", f.Act)
	and(f.Act != "" && !strings.Contains(f.Act, "."), "starts_with(act, ? || '.')", f.Act)
	and(f.ObjectKind != "", "object_kind = ?", f.ObjectKind)
	and(f.ObjectID != "", "object_id >= ? AND object_id < ? || chr(1114111) AND starts_with(object_id, ?)", f.ObjectID)
	and(!f.From.IsZero(), "at >= ?", f.From)
	and(!f.To.IsZero(), "at < ?", f.To)
	and(f.Before != 0, "serial < ?", f.Before)
	args = append(args, f.Limit)
	err = tx.SelectContext(ctx, &found, query+where.String()+" ORDER BY serial DESC LIMIT $"+strconv.Itoa(len(args)), args...)
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
