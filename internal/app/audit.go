package app

import (
	"context"

	"github.com/jmoiron/sqlx"

	"konbit/internal/people/audit"
	"konbit/internal/people/staff"
)

// recordStaffTx writes an event of package staff to the audit log.
func recordStaffTx(ctx context.Context, tx *sqlx.Tx, e staff.Event) error {
	act := audit.Act{
		Name: e.Act, EntityID: e.EntityID, OrganisationID: e.OrganisationID, ObjectKind: "staff", ObjectID: e.About.String(),
		Reason: e.Reason,
	}
	if e.Detail != "" {
		act.After = map[string]string{"detail": e.Detail}
	}
	return audit.RecordTx(ctx, tx, act)
}

// sealAudit seals the entries of the audit log.
func (a *App) sealAudit(ctx context.Context) error {
	_, err := audit.Seal(ctx, a.resources.DB)
	return err
}
