package giftlist

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/pg"
)

// RefsOf returns the public references of gifts, by their ids. One that q may not see is missing.
func RefsOf(ctx context.Context, q sqlx.QueryerContext, gifts []uuid.UUID) (map[uuid.UUID]string, error) {
	return RefsIn(ctx, q, uuid.NullUUID{}, gifts)
}

// RefsIn returns the public references of the gifts to an organisation, by their ids; not valid: of all.
func RefsIn(ctx context.Context, q sqlx.QueryerContext, organisation uuid.NullUUID, gifts []uuid.UUID) (map[uuid.UUID]string, error) {
	const query = `/* giftlist.RefsIn */ SELECT DISTINCT id, public_ref FROM gift_ref WHERE id = ANY($1::uuid[]) AND ($2::uuid IS NULL OR organisation_id = $2)`
	var rows []struct {
		ID  uuid.UUID `db:"id"`
		Ref string    `db:"public_ref"`
	}
	refs := map[uuid.UUID]string{}
	if len(gifts) == 0 {
		return refs, nil
	}
	err := sqlx.SelectContext(ctx, q, &rows, query, pg.UUIDs(gifts), organisation)
	for _, r := range rows {
		refs[r.ID] = r.Ref
	}
	return refs, err
}

// RefsOfPayments returns the public references of an entity's gifts, by the ids of their charges at the processor.
func RefsOfPayments(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, charges []string) (map[string]string, error) {
	const query = `/* giftlist.RefsOfPayments */ SELECT charge_ref, public_ref FROM gift_ref WHERE entity_id = $1 AND charge_ref = ANY($2)`
	var rows []struct {
		Charge string `db:"charge_ref"`
		Ref    string `db:"public_ref"`
	}
	refs := map[string]string{}
	if len(charges) == 0 {
		return refs, nil
	}
	err := sqlx.SelectContext(ctx, q, &rows, query, entity, pq.Array(charges))
	for _, r := range rows {
		refs[r.Charge] = r.Ref
	}
	return refs, err
}

// VoidedOf returns those of some gifts that are void: recorded by mistake, as if they had never been.
func VoidedOf(ctx context.Context, q sqlx.QueryerContext, gifts []uuid.UUID) (map[uuid.UUID]bool, error) {
	const query = `/* giftlist.VoidedOf */ SELECT donation_id FROM gift_voided WHERE donation_id = ANY($1::uuid[])`
	voided := map[uuid.UUID]bool{}
	if len(gifts) == 0 {
		return voided, nil
	}
	var found []uuid.UUID
	err := sqlx.SelectContext(ctx, q, &found, query, pg.UUIDs(gifts))
	for _, id := range found {
		voided[id] = true
	}
	return voided, err
}
