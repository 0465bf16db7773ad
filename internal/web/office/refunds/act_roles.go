package refunds

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/people/approval"
	"konbit/internal/people/staff"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// rolesAct shows and executes the change of a role, which a second admin approves.
func (a *Area) rolesAct() desk.Act {
	return desk.Act{Kind: approval.Roles, Title: a.rolesTitle, Show: a.showRoles, ExecuteTx: a.executeRolesTx}
}

func (a *Area) rolesTitle(v web.StaffVisit, r approval.Stored) string {
	act, c, err := staff.ReadChange(r.Body)
	if err != nil {
		return a.phrase(v, "office.approval.unknown")
	}
	return a.phrase(v, "office.roles.act."+act, "role", a.phrase(v, "office.role."+string(c.Role)))
}

func (a *Area) showRoles(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, r approval.Stored) (s desk.Shown, err error) {
	_, c, err := staff.ReadChange(r.Body)
	if err != nil {
		return s, err
	}
	names, err := staff.NamesOf(ctx, tx, c.StaffID, r.RequestedBy)
	if err != nil {
		return s, err
	}
	person, err := staff.PersonOfRequest(ctx, tx, r.ID)
	if err != nil {
		return s, err
	}
	where := v.Entity.LegalName
	if c.OrganisationID.Valid {
		o, err := v.Catalog.OrganisationByID(c.OrganisationID.UUID)
		if err != nil {
			return s, err
		}
		where = o.Name.In(v.Language)
	}
	name := a.nameIn(v, names, c.StaffID)
	if person != nil {
		name = person.Name
	}
	add := func(label, text string) {
		s.Pairs = append(s.Pairs, desk.Pair{Label: a.phrase(v, "office.roles.label."+label), Cell: desk.Cell{Text: text}})
	}
	add("who", name)
	if person != nil {
		add("email", person.Email)
	}
	add("role", a.phrase(v, "office.role."+string(c.Role)))
	add("where", where)
	add("by", a.nameIn(v, names, r.RequestedBy))
	s.Button = a.rolesTitle(v, r)
	return s, nil
}

func (a *Area) executeRolesTx(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, r approval.Stored) error {
	act, c, err := staff.ReadChange(r.Body)
	if err != nil {
		return err
	}
	c.Request = uuid.NullUUID{UUID: r.ID, Valid: true}
	return a.Staff.ChangeRoleTx(ctx, tx, v.Session, act, c)
}
