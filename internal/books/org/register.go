package org

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Register is all legal entities and organisations, as read in one database snapshot. It never changes and is safe
// for concurrent use. Its methods return shared values: callers must not modify them. fund.CatalogCache holds a
// current one.
type Register struct {
	entities      []LegalEntity
	organisations []Organisation
}

// ReadRegister reads a Register from a database or a transaction.
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

// Entities returns all legal entities, sorted by slug.
func (r *Register) Entities() []LegalEntity { return r.entities }

// Organisations returns all organisations, sorted by position.
func (r *Register) Organisations() []Organisation { return r.organisations }

// Entity returns the entity with that slug. It reports fault.NotFound if there is none.
func (r *Register) Entity(slug string) (LegalEntity, error) {
	return find(r.entities, func(e *LegalEntity) bool { return e.Slug == slug })
}

// EntityByID returns the entity with that id. It reports fault.NotFound if there is none.
func (r *Register) EntityByID(id uuid.UUID) (LegalEntity, error) {
	return find(r.entities, func(e *LegalEntity) bool { return e.ID == id })
}

// Organisation returns the organisation with that slug. It reports fault.NotFound if there is none.
func (r *Register) Organisation(slug string) (Organisation, error) {
	return find(r.organisations, func(o *Organisation) bool { return o.Slug == slug })
}

// OrganisationByID returns the organisation with that id. It reports fault.NotFound if there is none.
func (r *Register) OrganisationByID(id uuid.UUID) (Organisation, error) {
	return find(r.organisations, func(o *Organisation) bool { return o.ID == id })
}

// find searches the slice. An installation has few entities and organisations, so that a map would not be faster.
func find[T any](all []T, match func(*T) bool) (T, error) {
	for i := range all {
		if match(&all[i]) {
			return all[i], nil
		}
	}
	var none T
	return none, notFound()
}

// Slugs returns the slugs of entities by their ids.
func Slugs(entities []LegalEntity) map[uuid.UUID]string {
	slugs := map[uuid.UUID]string{}
	for _, e := range entities {
		slugs[e.ID] = e.Slug
	}
	return slugs
}
