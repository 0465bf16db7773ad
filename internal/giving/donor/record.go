package donor

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/contact"
	"konbit/internal/platform/fault"
)

// Record is all that a donor's row says.
type Record struct {
	Donor
	FirstGiftAt *time.Time `db:"first_gift_at"`
	ProfileAt   *time.Time `db:"said_at"` // when the person, or the office for them, said who they are; nil: what is here came with gifts
}

// RecordOf returns a donor's row; fault.NotFound if there is none. As in ByIDs, what stands in place of an address of a donor
// who was erased or purged is not returned.
func RecordOf(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (r Record, err error) {
	const query = `/* donor.RecordOf */
		SELECT id, entity_id, kind, coalesce(nullif(email, 'forgotten-' || id || '@invalid'), '') AS email, first_name, last_name, organisation_name,
		       language, created_at, is_erased(id) AS erased, ` + contact.DetailColumns + `, news_consented_at, first_gift_at, said_at
		  FROM donor WHERE id = $1`
	err = sqlx.GetContext(ctx, q, &r, query, id)
	if errors.Is(err, sql.ErrNoRows) {
		err = fault.New(fault.NotFound, "problem.404.text", nil)
	}
	return r, err
}

// CorrectTx stores a donor's name and details as the office corrects them, as UpdateProfileTx does what a person entered: after
// that, no form changes them. organisation is the name of a donor that is an organisation, whose first and last name are empty.
func CorrectTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, s Profile, organisation string, at time.Time) error {
	const query = `/* donor.CorrectTx */
		UPDATE donor SET first_name = $2, last_name = $3, language = $4, said_at = $5, (` + contact.DetailColumns + `) = (` + contact.DetailParams + `),
		       organisation_name = $13 WHERE id = $1`
	if err := LockTx(ctx, tx, []uuid.UUID{id}); err != nil {
		return err
	}
	args := append([]any{id, s.FirstName, s.LastName, s.Language, at}, s.Details.Args()...)
	_, err := tx.ExecContext(ctx, query, append(args, organisation)...)
	return err
}
