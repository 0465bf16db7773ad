package org

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
)

const entityColumns = `id, slug, legal_name, ein, address, timezone, currency, mail_from, receipt_prefix, two_persons_refund,
	fee_borne_by AS "fee.borne_by", fee_basis_points AS "fee.basis_points", fee_fixed AS "fee.fixed",
	sponsor_basis_points AS "sponsor.basis_points", sponsor_of AS "sponsor.of", money_factor, fiscal_year_starts,
	without_cards, giving_by_mail`

// Entities returns all legal entities, sorted by slug. q is a database or a transaction, here and below.
func Entities(ctx context.Context, q sqlx.QueryerContext) ([]LegalEntity, error) {
	const query = `/* org.Entities */ SELECT ` + entityColumns + ` FROM legal_entity ORDER BY slug`
	return selectEntities(ctx, q, query)
}

// EntityByID returns the entity with that id. It reports fault.NotFound if there is none.
func EntityByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (LegalEntity, error) {
	const query = `/* org.EntityByID */ SELECT ` + entityColumns + ` FROM legal_entity WHERE id = $1`
	return only(selectEntities(ctx, q, query, id))
}

const organisationColumns = `id, entity_id, slug, name, sponsored, languages, presets, minimum, maximum,
	frequencies, accent, position`

// Organisations returns all organisations, sorted by position.
func Organisations(ctx context.Context, q sqlx.QueryerContext) ([]Organisation, error) {
	const query = `/* org.Organisations */ SELECT ` + organisationColumns + ` FROM organisation ORDER BY position, slug`
	return selectOrganisations(ctx, q, query)
}

// notFound is the error of this package for an unknown slug or id.
func notFound() error { return fault.Wrap(fault.NotFound, "problem.404.text", sql.ErrNoRows) }

func only[T any](rows []T, err error) (T, error) {
	var zero T
	switch {
	case err != nil:
		return zero, err
	case len(rows) == 0:
		return zero, notFound()
	}
	return rows[0], nil
}

// entityRow and organisationRow hold the columns that need a conversion after the scan.
type entityRow struct {
	LegalEntity
	Address      []byte `db:"address"`
	GivingByMail []byte `db:"giving_by_mail"`
}

func selectEntities(ctx context.Context, q sqlx.QueryerContext, query string, args ...any) ([]LegalEntity, error) {
	var rows []entityRow
	if err := sqlx.SelectContext(ctx, q, &rows, query, args...); err != nil {
		return nil, err
	}
	entities := make([]LegalEntity, len(rows))
	for i, r := range rows {
		e := r.LegalEntity
		if err := json.Unmarshal(r.Address, &e.Address); err != nil {
			return nil, fmt.Errorf("address of entity %s: %w", e.Slug, err)
		}
		if err := json.Unmarshal(r.GivingByMail, &e.GivingByMail); err != nil {
			return nil, fmt.Errorf("giving_by_mail of entity %s: %w", e.Slug, err)
		}
		if len(e.GivingByMail) == 0 {
			e.GivingByMail = nil
		}
		location, err := LoadTimezone(e.Timezone)
		if err != nil {
			return nil, fmt.Errorf("time zone of entity %s: %w", e.Slug, err)
		}
		e.location = location
		entities[i] = e
	}
	return entities, nil
}

type organisationRow struct {
	Organisation
	Name        []byte         `db:"name"`
	Languages   pq.StringArray `db:"languages"`
	Presets     pq.Int64Array  `db:"presets"`
	Frequencies pq.StringArray `db:"frequencies"`
}

func selectOrganisations(ctx context.Context, q sqlx.QueryerContext, query string, args ...any) ([]Organisation, error) {
	var rows []organisationRow
	if err := sqlx.SelectContext(ctx, q, &rows, query, args...); err != nil {
		return nil, err
	}
	organisations := make([]Organisation, len(rows))
	for i, r := range rows {
		o := r.Organisation
		if err := json.Unmarshal(r.Name, &o.Name); err != nil {
			return nil, fmt.Errorf("name of organisation %s: %w", o.Slug, err)
		}
		o.Languages, o.Frequencies = convert[phrase.Language](r.Languages), convert[Frequency](r.Frequencies)
		o.Presets = r.Presets
		organisations[i] = o
	}
	return organisations, nil
}

// convert converts a slice of strings to another string type.
func convert[To, From ~string](texts []From) []To {
	converted := make([]To, len(texts))
	for i, t := range texts {
		converted[i] = To(t)
	}
	return converted
}
