package donation

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/contact"
	"konbit/internal/giving/dedication"
)

// Instalment is a later payment of a plan.
type Instalment struct {
	ID        uuid.UUID
	First     uuid.UUID // the plan's first donation, which is the plan's id: organisation, donor, contact and dedication are copied from it
	PublicRef string
	Frequency string
	Parts     []Designation
	At        time.Time
	Cause     string
}

// CreateInstalmentTx writes an instalment as a started donation, which its charge settles in the same transaction. It
// has no checkout. No card is sent again for its dedication.
func CreateInstalmentTx(ctx context.Context, tx *sqlx.Tx, in Instalment) error {
	const owner = `/* donation.CreateInstalmentTx */ SELECT entity_id FROM donation WHERE id = $1`
	const gift = `/* donation.CreateInstalmentTx */
		INSERT INTO donation (id, entity_id, organisation_id, donor_id, public_ref, status, frequency,
			amount, covered, currency, language, anonymous, news, created_at, source, plan_id)
		SELECT $1, entity_id, organisation_id, donor_id, $3, 'started', $4, $5, $6, currency, language, anonymous, false, $7, 'plan', $2
		  FROM donation WHERE id = $2`
	const typed = `/* donation.CreateInstalmentTx */
		INSERT INTO donation_contact (donation_id, note, ` + contact.Columns + `)
		SELECT $1, '', ` + contact.Columns + `
		  FROM donation_contact WHERE donation_id = $2`
	var entity uuid.UUID
	if err := tx.GetContext(ctx, &entity, owner, in.First); err != nil {
		return err
	}
	var total, covered int64
	for _, p := range in.Parts {
		total, covered = total+p.Amount.Minor, covered+p.Covered.Minor
	}
	if _, err := tx.ExecContext(ctx, gift, in.ID, in.First, in.PublicRef, in.Frequency, total, covered, in.At); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, typed, in.ID, in.First); err != nil {
		return err
	}
	if err := dedication.CopyTx(ctx, tx, in.ID, in.First); err != nil {
		return err
	}
	if err := insertDesignationsTx(ctx, tx, in.ID, entity, in.Parts); err != nil {
		return err
	}
	return recordStatusTx(ctx, tx, []statusChange{{in.ID, Started, in.Cause}}, in.At)
}
