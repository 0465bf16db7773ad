package donor

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// Details are how else to reach a donor, as they said themselves. All may be empty.
type Details struct {
	Phone        string `db:"phone"`
	AddressLine1 string `db:"address_line1"`
	AddressLine2 string `db:"address_line2"`
	City         string `db:"city"`
	Region       string `db:"region"`
	PostalCode   string `db:"postal_code"`
	Country      string `db:"country"`
}

// Said is what somebody says of themselves, signed in.
type Profile struct {
	FirstName, LastName string
	Language            string // BCP 47 base language
	Details
}

// SayTx keeps what a person says of themselves, for each donor they are. No form changes it any more; receipts issued before
// keep what they said.
func UpdateProfileTx(ctx context.Context, tx *sqlx.Tx, ids []uuid.UUID, s Profile, at time.Time) error {
	const query = `/* donor.UpdateProfileTx */
		UPDATE donor SET first_name = $2, last_name = $3, language = $4, phone = $5, address_line1 = $6, address_line2 = $7, city = $8,
		       region = $9, postal_code = $10, country = $11, said_at = $12
		 WHERE id = ANY($1::uuid[])`
	_, err := tx.ExecContext(ctx, query, pg.UUIDs(ids), s.FirstName, s.LastName, s.Language, s.Phone, s.AddressLine1, s.AddressLine2,
		s.City, s.Region, s.PostalCode, s.Country, at)
	return err
}
