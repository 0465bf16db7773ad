package dedication

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// InsertTx writes a donation's dedication; nil writes nothing.
func InsertTx(ctx context.Context, tx *sqlx.Tx, donation uuid.UUID, d *Dedication) error {
	const query = `/* dedication.InsertTx */
		INSERT INTO donation_dedication (donation_id, kind, name, card_name, card_email, card_message)
		VALUES ($1, $2, $3, $4, $5, $6)`
	if d == nil {
		return nil
	}
	_, err := tx.ExecContext(ctx, query, donation, d.Kind, d.Name, d.CardName, d.CardEmail, d.CardMessage)
	return err
}

// CopyTx dedicates a donation as another one is, without its card.
func CopyTx(ctx context.Context, tx *sqlx.Tx, donation, from uuid.UUID) error {
	const query = `/* dedication.CopyTx */
		INSERT INTO donation_dedication (donation_id, kind, name, card_name, card_email, card_message)
		SELECT $1, kind, name, '', '', '' FROM donation_dedication WHERE donation_id = $2`
	_, err := tx.ExecContext(ctx, query, donation, from)
	return err
}

// Of returns a donation's dedication; nil if it has none, or it was purged.
func Of(ctx context.Context, q sqlx.QueryerContext, donation uuid.UUID) (*Dedication, error) {
	const query = `/* dedication.Of */
		SELECT kind, name, card_name, card_email, card_message FROM donation_dedication WHERE donation_id = $1`
	var d Dedication
	if err := sqlx.GetContext(ctx, q, &d, query, donation); errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &d, nil
}

// OfDonations returns the dedications of donations, by donation.
func OfDonations(ctx context.Context, q sqlx.QueryerContext, donations []uuid.UUID) (map[uuid.UUID]*Dedication, error) {
	const query = `/* dedication.OfDonations */
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
