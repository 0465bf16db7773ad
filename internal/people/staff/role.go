package staff

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// RoleName is what a person may do.
type RoleName string

// The roles.
const (
	Entry   RoleName = "entry"   // types batches and imports, and posts nothing
	Finance RoleName = "finance" // posts, refunds, matches, closes
	Admin   RoleName = "admin"   // manages people and settings
	Auditor RoleName = "auditor" // reads everything, the audit log too, and changes nothing
)

// RoleNames are all roles, in the order in which pages show them.
var RoleNames = []RoleName{Entry, Finance, Admin, Auditor}

// Scope is where a role is held: a legal entity with all its organisations, or one organisation.
type Scope struct {
	EntityID       uuid.UUID     `db:"entity_id"`
	OrganisationID uuid.NullUUID `db:"organisation_id"`
}

// Covers reports whether a role in s is also held in other.
func (s Scope) Covers(other Scope) bool {
	return s.EntityID == other.EntityID && (!s.OrganisationID.Valid || s.OrganisationID == other.OrganisationID)
}

// Role is a role that a person holds.
type Role struct {
	ID      uuid.UUID `db:"id"`
	StaffID uuid.UUID `db:"staff_id"`
	Scope
	Name      RoleName      `db:"role"`
	GrantedBy uuid.NullUUID `db:"granted_by"` // not valid: the operator
	GrantedAt time.Time     `db:"granted_at"`
}

// Has reports whether the session's person holds one of the roles in a scope. An emergency access reads and changes roles
// everywhere.
func (s Session) Has(scope Scope, names ...RoleName) bool {
	if s.BreakGlass && (slices.Contains(names, Admin) || slices.Contains(names, Auditor)) {
		return true
	}
	return slices.ContainsFunc(s.Roles, func(r Role) bool { return r.Covers(scope) && slices.Contains(names, r.Name) })
}

const selectRole = `SELECT id, staff_id, entity_id, organisation_id, role, granted_by, granted_at FROM staff_role `

// RolesOf returns the roles that a person holds now.
func RolesOf(ctx context.Context, q sqlx.QueryerContext, person uuid.UUID) (all []Role, err error) {
	const query = `/* staff.RolesOf */ ` + selectRole + `WHERE staff_id = $1 AND ended_at IS NULL ORDER BY granted_at, id`
	err = sqlx.SelectContext(ctx, q, &all, query, person)
	return all, err
}

// RolesAt returns the roles that are held now in an entity and its organisations.
func RolesAt(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID) (all []Role, err error) {
	const query = `/* staff.RolesAt */ ` + selectRole + `WHERE entity_id = $1 AND ended_at IS NULL ORDER BY granted_at, id`
	err = sqlx.SelectContext(ctx, q, &all, query, entity)
	return all, err
}

// RoleChange is a role to grant or to end.
type RoleChange struct {
	StaffID uuid.UUID
	Role    RoleName
	Scope
	// Request is the approval request by which a second admin approved it; not valid: none.
	Request uuid.NullUUID
}

// HadRole reports whether a person ever held a role in exactly a scope, and whether they hold it no more.
func HadRole(ctx context.Context, q sqlx.QueryerContext, c RoleChange) (had, ended bool, err error) {
	const query = `/* staff.HadRole */ SELECT count(*) > 0 AS had, count(*) > 0 AND count(*) FILTER (WHERE ended_at IS NULL) = 0 AS ended
		FROM staff_role WHERE staff_id = $1 AND role = $2 AND entity_id = $3 AND organisation_id IS NOT DISTINCT FROM $4`
	var found struct {
		Had   bool `db:"had"`
		Ended bool `db:"ended"`
	}
	err = sqlx.GetContext(ctx, q, &found, query, c.StaffID, c.Role, c.EntityID, c.OrganisationID)
	return found.Had, found.Ended, err
}

// Grant gives a person a role. The session's person is an admin of the scope, used a factor in the last five minutes, and is
// somebody else.
func (s Service) Grant(ctx context.Context, by Session, c RoleChange) error {
	return InTx(ctx, s.DB, by, func(tx *sqlx.Tx) error { return s.changeRoleTx(ctx, tx, Grant, by.StaffID, c, "") })
}

// EndRole ends a role of a person at once, under the same conditions, except that a second admin approves only the end of an admin. The
// other admins get an email.
func (s Service) EndRole(ctx context.Context, by Session, c RoleChange) error {
	return InTx(ctx, s.DB, by, func(tx *sqlx.Tx) error { return s.changeRoleTx(ctx, tx, End, by.StaffID, c, "") })
}

func (s Service) changeRoleTx(ctx context.Context, tx *sqlx.Tx, act string, by uuid.UUID, c RoleChange, reason string) error {
	const query = `/* staff.changeRoleTx */ SELECT change_role($1, $2, $3, $4, $5, $6, $7)`
	if _, err := tx.ExecContext(ctx, query, act, s.NewID(), c.StaffID, c.Role, c.EntityID, c.OrganisationID, c.Request); err != nil {
		return err
	}
	name := map[string]string{Grant: "staff.role_granted", End: "staff.role_ended"}[act]
	err := s.recordTx(ctx, tx, Event{
		Act: name, By: by, About: c.StaffID, EntityID: uuid.NullUUID{UUID: c.EntityID, Valid: true}, OrganisationID: c.OrganisationID,
		Detail: string(c.Role), Reason: reason,
	})
	if err == nil && act == End {
		err = s.tellOfEndTx(ctx, tx, by, c)
	}
	if err != nil || !c.Request.Valid || act != Grant {
		return err
	}
	// Whoever was invited by a request gets the link now that a second admin approved it.
	m, err := ByID(ctx, tx, c.StaffID)
	if err != nil || m.CanSignIn {
		return err
	}
	return s.sendLinkTx(ctx, tx, by, m.ID, EmailInvite)
}

// tellOfEndTx enqueues an email to the other admins of a scope: a role of a person ended.
func (s Service) tellOfEndTx(ctx context.Context, tx *sqlx.Tx, by uuid.UUID, c RoleChange) error {
	roles, err := RolesAt(ctx, tx, c.EntityID)
	if err != nil {
		return err
	}
	var to []uuid.UUID
	for _, role := range roles {
		if role.Name == Admin && role.Covers(c.Scope) && role.StaffID != by && !slices.Contains(to, role.StaffID) {
			to = append(to, role.StaffID)
		}
	}
	return s.enqueueTx(ctx, tx, EmailRoleEnd, c.StaffID, to)
}

// adminsTx returns the admins of all scopes in which a person holds a role, without the person.
func adminsTx(ctx context.Context, tx *sqlx.Tx, of uuid.UUID) (all []uuid.UUID, err error) {
	const query = `/* staff.adminsTx */ SELECT DISTINCT a.staff_id FROM staff_role r
		JOIN staff_role a ON a.entity_id = r.entity_id AND a.role = 'admin' AND a.ended_at IS NULL AND (a.organisation_id IS NULL OR a.organisation_id = r.organisation_id)
		WHERE r.staff_id = $1 AND r.ended_at IS NULL AND a.staff_id <> $1`
	err = tx.SelectContext(ctx, &all, query, of)
	return all, err
}
