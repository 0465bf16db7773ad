package donor

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// ByIDs reads donors' names, addresses and languages, by their id.
func ByIDs(ctx context.Context, q sqlx.QueryerContext, ids []uuid.UUID) ([]Donor, error) {
	const query = `/* donor.ByIDs */ SELECT id, entity_id, email, first_name, last_name, language FROM donor WHERE id = ANY($1::uuid[]) ORDER BY id`
	var rows []struct {
		ID        uuid.UUID `db:"id"`
		EntityID  uuid.UUID `db:"entity_id"`
		Email     string    `db:"email"`
		FirstName string    `db:"first_name"`
		LastName  string    `db:"last_name"`
		Language  string    `db:"language"`
	}
	err := sqlx.SelectContext(ctx, q, &rows, query, pg.UUIDs(ids))
	all := make([]Donor, len(rows))
	for i, r := range rows {
		all[i] = Donor{ID: r.ID, EntityID: r.EntityID, Email: r.Email, FirstName: r.FirstName, LastName: r.LastName, Language: r.Language}
	}
	return all, err
}

// Forgotten tells whether nothing is known any more of who the donor was.
func (d Donor) IsErased() bool { return strings.HasSuffix(d.Email, "@invalid") }

// LockTx holds donors still until the transaction ends: no gift of theirs is noted meanwhile.
func LockTx(ctx context.Context, tx *sqlx.Tx, ids []uuid.UUID) error {
	const query = `/* donor.LockTx */ SELECT id FROM donor WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE`
	var locked []uuid.UUID
	return tx.SelectContext(ctx, &locked, query, pg.UUIDs(ids))
}
