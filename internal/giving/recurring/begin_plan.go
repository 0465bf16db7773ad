package recurring

import (
	"context"

	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/planterms"
)

// BeginTx inserts the plan of a donation that was just inserted. It stays started until the first payment is made.
func (ps Plans) BeginTx(ctx context.Context, tx *sqlx.Tx, first donation.Donation, r donation.Request) error {
	const query = `/* recurring.BeginTx */
		INSERT INTO plan (id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, covered, currency, language, total, created_at)
		VALUES ($1, $2, $3, $4, $5, 'started', $6, $7, $8, $9, $10, nullif($11, 0), $12)`
	p := plan.Plan{
		ID: first.ID, EntityID: first.EntityID, AmountMinor: first.AmountMinor, CoveredMinor: first.CoveredMinor, Terms: 1,
	}
	_, err := tx.ExecContext(ctx, query, p.ID, p.EntityID, first.OrganisationID, first.DonorID, ps.NewRef(), r.Frequency, first.AmountMinor,
		first.CoveredMinor, first.Currency, first.Language, r.Times, first.CreatedAt)
	if err != nil {
		return err
	}
	return planterms.AddTx(ctx, tx, &p, r.Designations, first.CreatedAt)
}
