package donor

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// ByIDs returns donors' names, addresses and languages, and whether they were erased, in the order of their ids. The
// address that stands in the row of a donor who was erased or purged is not returned.
func ByIDs(ctx context.Context, q sqlx.QueryerContext, ids []uuid.UUID) (all []Donor, err error) {
	const query = `/* donor.ByIDs */
		SELECT id, entity_id, kind, coalesce(nullif(email, 'forgotten-' || id || '@invalid'), '') AS email, first_name, last_name,
		       organisation_name, language, is_erased(id) AS erased
		  FROM donor WHERE id = ANY($1::uuid[]) ORDER BY id`
	err = sqlx.SelectContext(ctx, q, &all, query, pg.UUIDs(ids))
	return all, err
}

// IsErased reports whether the donor was erased, by an erasure that the database granted. Only donors that ByIDs returned
// know it.
func (d Donor) IsErased() bool { return d.Erased }

// LockTx locks donors until the transaction ends, so that no paid donation of theirs is recorded in the meantime.
func LockTx(ctx context.Context, tx *sqlx.Tx, ids []uuid.UUID) error {
	const query = `/* donor.LockTx */ SELECT id FROM donor WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE`
	var locked []uuid.UUID
	return tx.SelectContext(ctx, &locked, query, pg.UUIDs(ids))
}

// LockForErasureTx locks donors until the transaction ends, so that nobody begins a donation of theirs in the meantime,
// or writes about them.
func LockForErasureTx(ctx context.Context, tx *sqlx.Tx, ids []uuid.UUID) error {
	const query = `/* donor.LockForErasureTx */ SELECT id FROM donor WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`
	var locked []uuid.UUID
	return tx.SelectContext(ctx, &locked, query, pg.UUIDs(ids))
}
