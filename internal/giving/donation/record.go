package donation

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/contact"
	"konbit/internal/giving/dedication"
	"konbit/internal/giving/donor"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
)

// Record is a donation that was not begun on our form: staff entered it, or it was imported. It has no checkout.
type Record struct {
	ID             uuid.UUID
	PublicRef      string // 128 random bits as text
	EntityID       uuid.UUID
	OrganisationID uuid.UUID
	Donor          donor.Donor            // found by its address, or added; without an address always added, unless DonorID is set
	DonorID        uuid.UUID              // uuid.Nil: see Donor
	Source         Source                 // FromOffice or FromImport
	Contact        Contact                // for the receipt; its Email may be empty
	Dedication     *dedication.Dedication // nil: none
	Parts          []Designation
	Language       phrase.Language
	Anonymous      bool
	GivenBy        GivenBy   // empty: the donor gets a receipt
	At             time.Time // when it was entered
	Cause          string    // of the status change: who entered it, by id, or the import row
}

// RecordTx writes a donation as started. Its payment settles it, in the same transaction or later.
func RecordTx(ctx context.Context, tx *sqlx.Tx, r Record) (Donation, error) {
	if len(r.Parts) == 0 || r.Source != FromOffice && r.Source != FromImport {
		return Donation{}, errors.New("donation: a record needs designations and a source")
	}
	total := money.New(0, r.Parts[0].Amount.Currency)
	for _, p := range r.Parts {
		var err error
		if total, err = total.Add(p.Amount); err != nil {
			return Donation{}, err
		}
	}
	donorID, err := r.DonorID, error(nil)
	if donorID == uuid.Nil {
		r.Donor.EntityID, r.Donor.Email = r.EntityID, strings.ToLower(r.Donor.Email)
		if donorID, err = donor.FindOrAddTx(ctx, tx, r.Donor); err != nil {
			return Donation{}, err
		}
	}
	const query = `/* donation.RecordTx */
		INSERT INTO donation (id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, currency, language,
			anonymous, news, created_at, source, given_by)
		VALUES ($1, $2, $3, $4, $5, 'started', 'once', $6, $7, $8, $9, false, $10, $11, nullif($12, ''))`
	_, err = tx.ExecContext(ctx, query, r.ID, r.EntityID, r.OrganisationID, donorID, r.PublicRef, total.Minor, total.Currency, r.Language,
		r.Anonymous, r.At, r.Source, r.GivenBy)
	if err != nil {
		return Donation{}, err
	}
	if err := insertContactTx(ctx, tx, r.ID, r.Contact); err != nil {
		return Donation{}, err
	}
	if err := dedication.InsertTx(ctx, tx, r.ID, r.Dedication); err != nil {
		return Donation{}, err
	}
	if err := insertDesignationsTx(ctx, tx, r.ID, r.EntityID, r.Parts); err != nil {
		return Donation{}, err
	}
	if err := recordStatusTx(ctx, tx, []statusChange{{r.ID, Started, r.Cause}}, r.At); err != nil {
		return Donation{}, err
	}
	return ByID(ctx, tx, r.ID)
}

// insertContactTx writes who gives. It is kept apart from the donation, so that it can be purged.
func insertContactTx(ctx context.Context, tx *sqlx.Tx, donation uuid.UUID, c Contact) error {
	const query = `/* donation.insertContactTx */
		INSERT INTO donation_contact (donation_id, note, ` + contact.Columns + `) VALUES ($1, $2, ` + contact.Params + `)`
	_, err := tx.ExecContext(ctx, query, append([]any{donation, c.Note}, c.Args()...)...)
	return err
}

// insertDesignationsTx writes which funds a donation is for, in order.
func insertDesignationsTx(ctx context.Context, tx *sqlx.Tx, donation, entity uuid.UUID, parts []Designation) error {
	const query = `/* donation.insertDesignationsTx */
		INSERT INTO designation (donation_id, n, entity_id, fund_id, amount, covered)
		SELECT $1, p.n, $2, p.fund_id, p.amount, p.covered
		  FROM unnest($3::uuid[], $4::bigint[], $5::bigint[]) WITH ORDINALITY AS p (fund_id, amount, covered, n)`
	rows := pg.NewColumns(3)
	for _, p := range parts {
		rows.Add(p.FundID, p.Amount.Minor, p.Covered.Minor)
	}
	_, err := tx.ExecContext(ctx, query, rows.Args(donation, entity)...)
	return err
}
