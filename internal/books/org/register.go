package org

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Register is all entities and organisations of one moment, for looking up without a query. It never
// changes and is safe for concurrent use; what it answers is shared, so callers change none of it.
// fund.CatalogCache keeps one fresh.
type Register struct {
	entities      []LegalEntity
	organisations []Organisation
}

// ReadRegister reads a Register through q.
func ReadRegister(ctx context.Context, q sqlx.QueryerContext) (*Register, error) {
	entities, err := Entities(ctx, q)
	if err != nil {
		return nil, err
	}
	organisations, err := Organisations(ctx, q)
	if err != nil {
		return nil, err
	}
	return &Register{entities, organisations}, nil
}

// Entities lists all legal entities by slug.
func (r *Register) Entities() []LegalEntity { return r.entities }

// Organisations lists all organisations in their order.
func (r *Register) Organisations() []Organisation { return r.organisations }

// Entity is the entity of that slug, or a fault.NotFound.
func (r *Register) Entity(slug string) (LegalEntity, error) {
	return find(r.entities, func(e *LegalEntity) bool { return e.Slug == slug })
}

// EntityByID is the entity of that id, or a fault.NotFound.
func (r *Register) EntityByID(id uuid.UUID) (LegalEntity, error) {
	return find(r.entities, func(e *LegalEntity) bool { return e.ID == id })
}

// Organisation is the organisation of that slug, or a fault.NotFound.
func (r *Register) Organisation(slug string) (Organisation, error) {
	return find(r.organisations, func(o *Organisation) bool { return o.Slug == slug })
}

// OrganisationByID is the organisation of that id, or a fault.NotFound.
func (r *Register) OrganisationByID(id uuid.UUID) (Organisation, error) {
	return find(r.organisations, func(o *Organisation) bool { return o.ID == id })
}

// find scans: an installation has a handful of either, where a scan is as quick as a map.
func find[T any](all []T, match func(*T) bool) (T, error) {
	for i := range all {
		if match(&all[i]) {
			return all[i], nil
		}
	}
	var none T
	return none, notFound()
}
