package staff

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/people/approval"
	"konbit/internal/platform/email"
	"konbit/internal/platform/pg"
)

// needsSecondAdmin is the rule by which the database refuses a change of a role without the approval of a second admin.
const needsSecondAdmin = "role_has_second_admin"

// NeedsSecondAdmin reports whether a change of a role was refused because a second admin has to approve it.
func NeedsSecondAdmin(err error) bool { return Rule(err) == needsSecondAdmin }

// RequestInvite is Invite where a second admin approves: it adds the person, without a role, and asks for the role. The
// invitation is sent when the role is granted; a disabled person stays disabled until then.
func (s Service) RequestInvite(ctx context.Context, by Session, i Invitation) (request uuid.UUID, err error) {
	const add = `/* staff.RequestInvite */ SELECT add_staff($1, $2, $3, $4)`
	err = InTx(ctx, s.DB, by, func(tx *sqlx.Tx) error {
		var id uuid.UUID
		if err := tx.GetContext(ctx, &id, add, s.NewID(), email.Normalize(i.Email), strings.TrimSpace(i.Name), i.Language); err != nil {
			return err
		}
		request, err = s.requestTx(ctx, tx, by, Grant, RoleChange{StaffID: id, Role: i.Role, Scope: i.Scope})
		return err
	})
	return request, err
}

// RequestEnd is EndRole where a second admin approves.
func (s Service) RequestEnd(ctx context.Context, by Session, c RoleChange) (request uuid.UUID, err error) {
	err = InTx(ctx, s.DB, by, func(tx *sqlx.Tx) error {
		request, err = s.requestTx(ctx, tx, by, End, c)
		return err
	})
	return request, err
}

// requestTx asks a second admin for a change of a role and returns the request. The same change is asked for once: an open
// request for it is returned again.
func (s Service) requestTx(ctx context.Context, tx *sqlx.Tx, by Session, act string, c RoleChange) (uuid.UUID, error) {
	text := ChangeText(act, c)
	open, err := approval.OpenOf(ctx, tx, c.EntityID)
	if err != nil {
		return uuid.Nil, err
	}
	id := uuid.Nil
	for _, r := range open {
		if r.Kind == approval.Roles && r.Body == text {
			id = r.ID
		}
	}
	if id == uuid.Nil {
		id = s.NewID()
		err := approval.RequestTx(ctx, tx, approval.Request{
			ID: id, EntityID: c.EntityID, OrganisationID: c.OrganisationID, Kind: approval.Roles, Subject: c.StaffID.String(), Body: text,
			RequestedBy: by.StaffID,
		}, nil)
		if err != nil {
			return uuid.Nil, err
		}
	}
	return id, s.recordTx(ctx, tx, Event{
		Act: "staff.role_requested", By: by.StaffID, About: c.StaffID, EntityID: uuid.NullUUID{UUID: c.EntityID, Valid: true}, OrganisationID: c.OrganisationID,
		Detail: act + " " + string(c.Role),
	})
}

// ApproveAsOperator approves a request of kind approval.Roles in place of a second admin, and makes the change. For a person who
// cannot sign in yet it returns the secret of the link with which they set that up. Service.DB is the owner's.
func (s Service) ApproveAsOperator(ctx context.Context, request uuid.UUID, reason string) (token string, err error) {
	const execute = `/* staff.ApproveAsOperator */ SELECT role_change_is_approved($1, $2, $3, $4, $5, $6)`
	err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		if err := approval.ApproveAsOperatorTx(ctx, tx, request, reason); err != nil {
			return err
		}
		r, err := approval.ByID(ctx, tx, request)
		if err != nil {
			return err
		}
		act, c, err := ReadChange(r.Body)
		if err != nil {
			return err
		}
		var executed bool
		if err := tx.GetContext(ctx, &executed, execute, request, act, c.StaffID, c.Role, c.EntityID, c.OrganisationID); err != nil {
			return err
		}
		if !executed {
			return fmt.Errorf("staff: request %s cannot be executed any more: who asked for it is no admin now, or whom it is about "+
				"was disabled since", request)
		}
		if err := s.changeRoleTx(ctx, tx, act, uuid.Nil, c, reason); err != nil {
			return err
		}
		m, err := ByID(ctx, tx, c.StaffID)
		if err == nil && !m.CanSignIn && act == Grant {
			token, err = s.linkTx(ctx, tx, m.ID, "invite", reason)
		}
		return err
	})
	return token, explained(err)
}
