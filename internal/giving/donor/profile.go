package donor

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/contact"
	"konbit/internal/platform/pg"
)

// Profile is what signed-in donors enter about themselves.
type Profile struct {
	FirstName, LastName string
	Language            string // BCP 47 base language
	contact.Details
}

// StoredProfile is a profile as it is stored.
type StoredProfile struct {
	FirstName string    `db:"first_name"`
	LastName  string    `db:"last_name"`
	At        time.Time `db:"said_at"` // when it was entered
	contact.Details
}

// ProfileSince returns what a donor entered about themselves after a time; nil if they entered nothing since then.
func ProfileSince(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID, since time.Time) (*StoredProfile, error) {
	const query = `/* donor.ProfileSince */
		SELECT first_name, last_name, said_at, ` + contact.DetailColumns + ` FROM donor WHERE id = $1 AND said_at > $2`
	var found []StoredProfile
	if err := sqlx.SelectContext(ctx, q, &found, query, id, since); err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// UpdateProfileTx stores what a person entered, for each of the person's donors. After that, no form changes it.
// Receipts issued before do not change. The database stores nothing for a donor who was erased or purged.
func UpdateProfileTx(ctx context.Context, tx *sqlx.Tx, ids []uuid.UUID, s Profile, at time.Time) error {
	const query = `/* donor.UpdateProfileTx */
		UPDATE donor SET first_name = $2, last_name = $3, language = $4, said_at = $5, (` + contact.DetailColumns + `) = (` + contact.DetailParams + `)
		 WHERE id = ANY($1::uuid[])`
	if err := LockTx(ctx, tx, ids); err != nil {
		return err
	}
	args := append([]any{pg.UUIDs(ids), s.FirstName, s.LastName, s.Language, at}, s.Details.Args()...)
	_, err := tx.ExecContext(ctx, query, args...)
	return err
}
