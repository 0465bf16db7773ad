package fund

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
)

const columns = `id, entity_id, organisation_id, slug, code, name, restriction, purpose, position, closed_at`

// All returns all funds, open and closed, sorted by entity, organisation and position; the operations fund of an
// entity is last. q is a database or a transaction, here and below.
func All(ctx context.Context, q sqlx.QueryerContext) ([]Fund, error) {
	const query = `/* fund.All */ SELECT ` + columns + ` FROM fund ORDER BY entity_id, organisation_id, position, slug`
	return list(ctx, q, query)
}

// UpsertTx inserts f, or updates the row with its id; now is the time of the change. An update changes only the name,
// the purpose, the position and closed_at.
func UpsertTx(ctx context.Context, tx *sqlx.Tx, f Fund, now time.Time) error {
	const query = `/* fund.UpsertTx */
		INSERT INTO fund (id, entity_id, organisation_id, slug, code, name, restriction, purpose, position, closed_at,
			created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, purpose = excluded.purpose, position = excluded.position,
			closed_at = excluded.closed_at, updated_at = excluded.updated_at`
	name, purpose, err := marshal(f.Name, f.Purpose)
	if err != nil {
		return err
	}
	organisation := uuid.NullUUID{UUID: f.OrganisationID, Valid: f.OrganisationID != uuid.Nil}
	_, err = tx.ExecContext(ctx, query, f.ID, f.EntityID, organisation, f.Slug, f.Code, name, f.Restriction, purpose,
		f.Position, f.ClosedAt, now)
	return err
}

func marshal(name, purpose phrase.Text) (string, string, error) {
	if purpose == nil {
		purpose = phrase.Text{} // the column must be an object, not null
	}
	n, err := json.Marshal(name)
	p, err2 := json.Marshal(purpose)
	return string(n), string(p), errors.Join(err, err2)
}

// row holds the columns that need a conversion after the scan.
type row struct {
	Fund
	OrganisationID uuid.NullUUID `db:"organisation_id"`
	Name           []byte        `db:"name"`
	Purpose        []byte        `db:"purpose"`
}

func list(ctx context.Context, q sqlx.QueryerContext, query string, args ...any) ([]Fund, error) {
	var rows []row
	if err := sqlx.SelectContext(ctx, q, &rows, query, args...); err != nil {
		return nil, err
	}
	funds := make([]Fund, len(rows))
	for i, r := range rows {
		f := r.Fund
		f.OrganisationID = r.OrganisationID.UUID
		if err := errors.Join(json.Unmarshal(r.Name, &f.Name), json.Unmarshal(r.Purpose, &f.Purpose)); err != nil {
			return nil, fmt.Errorf("texts of fund %s: %w", f.Code, err)
		}
		funds[i] = f
	}
	return funds, nil
}

// notFound is the error of this package for an unknown fund.
func notFound() error { return fault.Wrap(fault.NotFound, "problem.404.text", sql.ErrNoRows) }

// LockTx locks a fund's row until the transaction ends. Every transaction that takes money out of a fund holds this
// lock, so that two of them never spend the same money. Transactions that add money do not lock.
func LockTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID) error {
	const query = `/* fund.LockTx */ SELECT id FROM fund WHERE id = $1 FOR NO KEY UPDATE`
	var locked uuid.UUID
	return tx.GetContext(ctx, &locked, query, id)
}
