package staff

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/people/session"
	"konbit/internal/platform/email"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

func stringArray(all []string) any { return pq.StringArray(all) }

// Invitation says whom to invite and for which role.
type Invitation struct {
	Email, Name string
	Language    string // en or es
	Role        RoleName
	Scope
	Request uuid.NullUUID // see RoleChange
}

// Check returns what is wrong with an invitation; nil if nothing is.
func (i Invitation) Check() (bad []fault.Field) {
	if !email.IsValid(email.Normalize(i.Email)) {
		bad = append(bad, fault.Field{Name: "email", Phrase: "office.people.error.email"})
	}
	if name := strings.TrimSpace(i.Name); name == "" || len([]rune(name)) > 100 {
		bad = append(bad, fault.Field{Name: "name", Phrase: "office.people.error.name"})
	}
	return bad
}

// addTx adds a person, or finds the one with the address, grants the role, and returns the person.
func (s Service) addTx(ctx context.Context, tx *sqlx.Tx, by uuid.UUID, i Invitation, reason string) (m Member, err error) {
	const query = `/* staff.addTx */ SELECT add_staff($1, $2, $3, $4)`
	var id uuid.UUID
	if err := tx.GetContext(ctx, &id, query, s.NewID(), email.Normalize(i.Email), strings.TrimSpace(i.Name), i.Language); err != nil {
		return m, err
	}
	if err := s.changeRoleTx(ctx, tx, Grant, by, RoleChange{StaffID: id, Role: i.Role, Scope: i.Scope, Request: i.Request}, reason); err != nil {
		return m, err
	}
	return ByID(ctx, tx, id)
}

// Invite adds a person with a role, and sends the link with which they set up how they sign in. A person who can sign in
// already gets the role and no email.
func (s Service) Invite(ctx context.Context, by Session, i Invitation) (m Member, err error) {
	err = InTx(ctx, s.DB, by, func(tx *sqlx.Tx) error {
		if m, err = s.addTx(ctx, tx, by.StaffID, i, ""); err != nil || m.CanSignIn {
			return err
		}
		return s.sendLinkTx(ctx, tx, by.StaffID, m.ID, EmailInvite)
	})
	return m, err
}

// InviteAgain sends a new link to a person who has not set up a way to sign in.
func (s Service) InviteAgain(ctx context.Context, by Session, person uuid.UUID) error {
	return InTx(ctx, s.DB, by, func(tx *sqlx.Tx) error { return s.sendLinkTx(ctx, tx, by.StaffID, person, EmailInvite) })
}

// Reset sends a link to a person who lost every way to sign in, and tells the other admins. What they set up by it replaces
// all that they had.
func (s Service) Reset(ctx context.Context, by Session, person uuid.UUID) error {
	return InTx(ctx, s.DB, by, func(tx *sqlx.Tx) error {
		if err := s.sendLinkTx(ctx, tx, by.StaffID, person, EmailReset); err != nil {
			return err
		}
		return s.tellAdminsTx(ctx, tx, EmailReset, person)
	})
}

// sendLinkTx makes an invitation or a reset and enqueues its email.
func (s Service) sendLinkTx(ctx context.Context, tx *sqlx.Tx, by, person uuid.UUID, kind string) error {
	id, link := s.NewID(), linkOf(kind)
	if _, err := tx.ExecContext(ctx, `/* staff.sendLinkTx */ SELECT invite_staff($1, $2, $3, NULL)`, id, person, link); err != nil {
		return err
	}
	if err := s.recordTx(ctx, tx, Event{Act: "staff." + link, By: by, About: person}); err != nil {
		return err
	}
	return s.Queue.EnqueueTx(ctx, tx, EmailJob{Email: kind, About: person, To: person, InvitationID: id})
}

// linkOf returns the kind of invitation that an email carries.
func linkOf(kind string) string { return strings.TrimPrefix(kind, "staff_") }

func (s Service) tellAdminsTx(ctx context.Context, tx *sqlx.Tx, kind string, about uuid.UUID) error {
	admins, err := adminsTx(ctx, tx, about)
	if err != nil {
		return err
	}
	return s.enqueueTx(ctx, tx, kind, about, admins)
}

// IssueLink makes the secret of an invitation for its email; empty if the invitation was used, ended or has expired. An email
// that is written again has another secret.
func (s Service) IssueLink(ctx context.Context, invitation uuid.UUID) (token string, err error) {
	token = session.NewSecret()
	err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		var valid bool
		err := tx.GetContext(ctx, &valid, `/* staff.IssueLink */ SELECT set_invitation_token($1, $2)`, invitation, hashOf("link", token))
		if err == nil && !valid {
			token = ""
		}
		return err
	})
	return token, err
}
