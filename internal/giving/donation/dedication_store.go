package donation

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// insertDedicationTx writes a donation's dedication; nil writes nothing. It is deleted with the contact.
func insertDedicationTx(ctx context.Context, tx *sqlx.Tx, donation uuid.UUID, d *Dedication) error {
	const query = `/* donation.insertDedicationTx */
		INSERT INTO donation_dedication (donation_id, kind, name, card_name, card_email, card_message)
		VALUES ($1, $2, $3, $4, $5, $6)`
	if d == nil {
		return nil
	}
	_, err := tx.ExecContext(ctx, query, donation, d.Kind, d.Name, d.CardName, d.CardEmail, d.CardMessage)
	return err
}

// DedicationOf returns a donation's dedication; nil if it has none, or it was purged.
func DedicationOf(ctx context.Context, q sqlx.QueryerContext, donation uuid.UUID) (*Dedication, error) {
	const query = `/* donation.DedicationOf */
		SELECT kind, name, card_name, card_email, card_message FROM donation_dedication WHERE donation_id = $1`
	var d Dedication
	if err := sqlx.GetContext(ctx, q, &d, query, donation); errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &d, nil
}

// dedicationsOf returns the dedications of donations, by donation.
func dedicationsOf(ctx context.Context, q sqlx.QueryerContext, donations []uuid.UUID) (map[uuid.UUID]*Dedication, error) {
	const query = `/* donation.dedicationsOf */
		SELECT donation_id, kind, name, card_name, card_email, card_message FROM donation_dedication WHERE donation_id = ANY($1::uuid[])`
	var rows []struct {
		DonationID uuid.UUID `db:"donation_id"`
		Dedication
	}
	if err := sqlx.SelectContext(ctx, q, &rows, query, pg.UUIDs(donations)); err != nil {
		return nil, err
	}
	dedications := make(map[uuid.UUID]*Dedication, len(rows))
	for i := range rows {
		dedications[rows[i].DonationID] = &rows[i].Dedication
	}
	return dedications, nil
}
