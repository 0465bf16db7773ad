package receipt

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/fault"
)

type row struct {
	ID           uuid.UUID `db:"id"`
	EntityID     uuid.UUID `db:"entity_id"`
	DonationID   uuid.UUID `db:"donation_id"`
	Year         int       `db:"year"`
	Number       int       `db:"number"`
	Language     string    `db:"language"`
	WordsVersion int       `db:"words_version"`
	Facts        []byte    `db:"facts"`
	IssuedAt     time.Time `db:"issued_at"`
}

// ByID reads one receipt; fault.NotFound when there is none.
func ByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (Receipt, error) {
	const query = `/* receipt.ByID */
		SELECT id, entity_id, donation_id, year, number, language, words_version, facts, issued_at FROM receipt WHERE id = $1`
	var r row
	if err := sqlx.GetContext(ctx, q, &r, query, id); errors.Is(err, sql.ErrNoRows) {
		return Receipt{}, fault.New(fault.NotFound, "problem.404.text", nil)
	} else if err != nil {
		return Receipt{}, err
	}
	receipt := Receipt{
		ID: r.ID, EntityID: r.EntityID, DonationID: r.DonationID, Year: r.Year, Number: r.Number,
		Language: r.Language, WordsVersion: r.WordsVersion, IssuedAt: r.IssuedAt,
	}
	return receipt, json.Unmarshal(r.Facts, &receipt.Facts)
}
