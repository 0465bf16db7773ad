package donation

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/dedication"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/receipt"
)

// Instalment is a later payment of a plan.
type Instalment struct {
	ID        uuid.UUID
	First     uuid.UUID // the plan's first donation, which is the plan's id: organisation, donor and dedication are copied from it
	PublicRef string
	Frequency string
	Parts     []Designation
	At        time.Time
	Cause     string
}

// CreateInstalmentTx writes an instalment as a started donation, which its charge settles in the same transaction. It
// has no checkout. No card is sent again for its dedication.
func CreateInstalmentTx(ctx context.Context, tx *sqlx.Tx, in Instalment) error {
	const gift = `/* donation.CreateInstalmentTx */
		INSERT INTO donation (id, entity_id, organisation_id, donor_id, public_ref, status, frequency,
			amount, covered, currency, language, anonymous, news, created_at, source, plan_id)
		SELECT $1, entity_id, organisation_id, donor_id, $3, 'started', $4, $5, $6, currency, language, anonymous, false, $7, 'plan', $2
		  FROM donation WHERE id = $2`
	first, err := ByID(ctx, tx, in.First)
	if err != nil {
		return err
	}
	var total, covered int64
	for _, p := range in.Parts {
		total, covered = total+p.Amount.Minor, covered+p.Covered.Minor
	}
	if _, err := tx.ExecContext(ctx, gift, in.ID, in.First, in.PublicRef, in.Frequency, total, covered, in.At); err != nil {
		return err
	}
	who, err := RenewalContact(ctx, tx, first)
	if err == nil && who != nil {
		err = insertContactTx(ctx, tx, in.ID, *who)
	}
	if err != nil {
		return err
	}
	if err := dedication.CopyTx(ctx, tx, in.ID, in.First); err != nil {
		return err
	}
	if err := insertDesignationsTx(ctx, tx, in.ID, first.EntityID, in.Parts); err != nil {
		return err
	}
	return recordStatusTx(ctx, tx, []statusChange{{in.ID, Started, in.Cause}}, in.At)
}

// RenewalContact returns who gives the next payment of a plan: the contact of its first donation (nil if purged), with
// what the donor entered since, and the name to which a receipt of the plan was corrected. An entered name counts only if
// no earlier form of the donor names somebody else: people who share a mailbox are one donor.
func RenewalContact(ctx context.Context, q sqlx.QueryerContext, first Donation) (*Contact, error) {
	const others = `/* donation.RenewalContact */
		SELECT EXISTS (SELECT 1 FROM donation d JOIN donation_contact c ON c.donation_id = d.id
		                WHERE d.donor_id = $1 AND d.source <> 'plan' AND d.created_at <= $2
		                  AND lower(c.first_name || ' ' || c.last_name) <> lower($3))`
	const payments = `/* donation.RenewalContact */ SELECT id FROM donation WHERE plan_id = $1`
	c, err := ContactOf(ctx, q, first.ID)
	if err != nil || c == nil {
		return nil, err
	}
	c.Note = ""
	said, err := donor.ProfileSince(ctx, q, first.DonorID, first.CreatedAt)
	if err != nil {
		return nil, err
	}
	if said != nil {
		c.Contact = c.With(said.Details)
		var shared bool
		if err := sqlx.GetContext(ctx, q, &shared, others, first.DonorID, said.At, c.FirstName+" "+c.LastName); err != nil {
			return nil, err
		}
		if !shared && said.FirstName != "" {
			c.FirstName, c.LastName = said.FirstName, said.LastName
		}
	}
	var ids []uuid.UUID
	if err := sqlx.SelectContext(ctx, q, &ids, payments, first.ID); err != nil {
		return nil, err
	}
	corrected, err := receipt.CorrectedName(ctx, q, ids)
	if err == nil && corrected != nil && (said == nil || corrected.At.After(said.At)) {
		c.FirstName, c.LastName = corrected.FirstName, corrected.LastName
	}
	return c, err
}
