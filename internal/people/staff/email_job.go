package staff

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/jobs"
)

// The kinds of emails to staff.
const (
	EmailInvite   = "staff_invite"   // the link of an invitation
	EmailReset    = "staff_reset"    // the link of a reset; without a link, to the admins: somebody was reset
	EmailRecovery = "staff_recovery" // a recovery code was used
	EmailFactor   = "staff_factor"   // a way to sign in was added or removed
	EmailGlass    = "staff_glass"    // an emergency access was made
	EmailExport   = "staff_export"   // somebody exported a list of many people
	EmailRoleEnd  = "staff_role_end" // an admin ended a role
)

// EmailJob sends one email to one person of the staff. It has ids only: the secret of a link is made when the email is
// written.
type EmailJob struct {
	Email        string    `json:"email"`                   // one of the kinds
	About        uuid.UUID `json:"about"`                   // staff
	To           uuid.UUID `json:"to"`                      // staff; Nil: the auditors
	InvitationID uuid.UUID `json:"invitation_id,omitempty"` // Nil: the email has no link
}

// Kind implements jobs.Job.
func (EmailJob) Kind() string { return "staff_letter" }

// Queue implements jobs.Job.
func (EmailJob) Queue() jobs.QueueName { return jobs.SignIn }

// tellTx enqueues an email about a person to the person and to the admins of their scopes.
func (s Service) tellTx(ctx context.Context, tx *sqlx.Tx, kind string, about uuid.UUID) error {
	admins, err := adminsTx(ctx, tx, about)
	if err != nil {
		return err
	}
	return s.enqueueTx(ctx, tx, kind, about, append([]uuid.UUID{about}, admins...))
}

// TellOfExportTx enqueues an email to the admins of an entity: a person exported a list of many people.
func (s Service) TellOfExportTx(ctx context.Context, tx *sqlx.Tx, by, entity uuid.UUID) error {
	roles, err := RolesAt(ctx, tx, entity)
	if err != nil {
		return err
	}
	var to []uuid.UUID
	for _, role := range roles {
		if role.Name == Admin && !role.OrganisationID.Valid && !slices.Contains(to, role.StaffID) {
			to = append(to, role.StaffID)
		}
	}
	return s.enqueueTx(ctx, tx, EmailExport, by, to)
}

func (s Service) enqueueTx(ctx context.Context, tx *sqlx.Tx, kind string, about uuid.UUID, to []uuid.UUID) error {
	all := make([]jobs.Job, len(to))
	for i, person := range to {
		all[i] = EmailJob{Email: kind, About: about, To: person}
	}
	return s.Queue.EnqueueTx(ctx, tx, all...)
}
