package staff

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// Named is a person by name.
type Named struct {
	ID   uuid.UUID `db:"id"`
	Name string    `db:"name"`
}

// OthersWith returns by name the people who hold a role for a whole scope, can sign in, and are not a person, under whichever
// account: who may be the second person. Pages pass the transaction of ReadTx.
func OthersWith(ctx context.Context, q sqlx.QueryerContext, role RoleName, in Scope, than uuid.UUID) (all []Named, err error) {
	const query = `/* staff.OthersWith */ SELECT m.id, m.name FROM staff m
		WHERE m.disabled_at IS NULL AND NOT m.break_glass AND staff_person_of(m.id) <> staff_person_of($4) AND office_can_sign_in(m.id)
		  AND EXISTS (SELECT FROM staff_role r WHERE r.staff_id = m.id AND r.ended_at IS NULL AND r.role = $1 AND r.entity_id = $2
		                 AND (r.organisation_id IS NULL OR r.organisation_id = $3))
		ORDER BY lower(m.name), m.id`
	err = sqlx.SelectContext(ctx, q, &all, query, role, in.EntityID, in.OrganisationID, than)
	return all, err
}

// NamesOf returns the names of people. Pages pass the transaction of ReadTx; it has no name of who never held a role in a scope
// of the reader.
func NamesOf(ctx context.Context, q sqlx.QueryerContext, ids ...uuid.UUID) (map[uuid.UUID]string, error) {
	const query = `/* staff.NamesOf */ SELECT id, name FROM staff WHERE id = ANY ($1::uuid[])`
	var all []Named
	if err := sqlx.SelectContext(ctx, q, &all, query, pg.UUIDs(ids)); err != nil {
		return nil, err
	}
	names := make(map[uuid.UUID]string, len(all))
	for _, m := range all {
		names[m.ID] = m.Name
	}
	return names, nil
}

// PersonOfRequest returns whose role a request changes, if the reader is an admin of its scope; nil if not. Such a person may not
// hold a role yet, so that NamesOf has no name. Pages pass the transaction of ReadTx.
func PersonOfRequest(ctx context.Context, q sqlx.QueryerContext, request uuid.UUID) (*Colleague, error) {
	const query = `/* staff.PersonOfRequest */ SELECT name, email FROM office_person_of_request($1)`
	var found []Colleague
	if err := sqlx.SelectContext(ctx, q, &found, query, request); err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// The changes of a role.
const (
	Grant = "grant"
	End   = "end"
)

// ChangeText returns what a second admin approves of a change of a role, as the database writes it in role_change_text.
func ChangeText(act string, c RoleChange) string {
	where := "whole"
	if c.OrganisationID.Valid {
		where = c.OrganisationID.UUID.String()
	}
	return strings.Join([]string{"role", act, c.StaffID.String(), string(c.Role), c.EntityID.String(), where}, " ")
}

// ReadChange reads what ChangeText wrote.
func ReadChange(text string) (act string, c RoleChange, err error) {
	words := strings.Split(text, " ")
	if len(words) != 6 || words[0] != "role" {
		return "", c, fmt.Errorf("staff: a change of a role says %q", text)
	}
	act, c.Role = words[1], RoleName(words[3])
	if c.StaffID, err = uuid.Parse(words[2]); err == nil {
		c.EntityID, err = uuid.Parse(words[4])
	}
	if err == nil && words[5] != "whole" {
		c.OrganisationID.Valid = true
		c.OrganisationID.UUID, err = uuid.Parse(words[5])
	}
	if err == nil && ChangeText(act, c) != text {
		err = fmt.Errorf("staff: a change of a role says %q", text)
	}
	return act, c, err
}

// ChangeRoleTx grants or ends a role in a transaction of InTx of an admin of the scope, who used a factor in the last five minutes
// and is somebody else. Where another admin is there, c.Request was approved by one.
func (s Service) ChangeRoleTx(ctx context.Context, tx *sqlx.Tx, by Session, act string, c RoleChange) error {
	return explained(s.changeRoleTx(ctx, tx, act, by.StaffID, c, ""))
}

// AreOne reports whether two accounts are of one human.
func AreOne(ctx context.Context, q sqlx.QueryerContext, a, b uuid.UUID) (one bool, err error) {
	const query = `/* staff.AreOne */ SELECT staff_person_of($1) = staff_person_of($2)`
	err = sqlx.GetContext(ctx, q, &one, query, a, b)
	return one, err
}
