package donor

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/contact"
	"konbit/internal/platform/pg"
)

// Said is what somebody says of themselves, signed in.
type Profile struct {
	FirstName, LastName string
	Language            string // BCP 47 base language
	contact.Details
}

// SayTx keeps what a person says of themselves, for each donor they are. No form changes it any more; receipts issued before
// keep what they said.
func UpdateProfileTx(ctx context.Context, tx *sqlx.Tx, ids []uuid.UUID, s Profile, at time.Time) error {
	const query = `/* donor.UpdateProfileTx */
		UPDATE donor SET first_name = $2, last_name = $3, language = $4, said_at = $5, (` + contact.DetailColumns + `) = (` + contact.DetailParams + `)
		 WHERE id = ANY($1::uuid[])`
	args := append([]any{pg.UUIDs(ids), s.FirstName, s.LastName, s.Language, at}, s.Details.Args()...)
	_, err := tx.ExecContext(ctx, query, args...)
	return err
}
