package audit

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Act is what is recorded about an act. Who and when are added by the database.
type Act struct {
	Name           string        // "refund.ordered": lower-case words, the first one is the package's
	EntityID       uuid.NullUUID // the scope; not valid for acts of the whole installation
	OrganisationID uuid.NullUUID
	ObjectKind     string // the table of the object
	ObjectID       string
	Before, After  any    // what changed, as JSON of ids, amounts and states; nil if nothing is to be said
	Reason         string // why; an operator must give one
}

// RecordTx adds an entry in the transaction of its effect.
func RecordTx(ctx context.Context, tx *sqlx.Tx, a Act) error {
	const insert = `/* audit.RecordTx */
		INSERT INTO audit_entry (act, entity_id, organisation_id, object_kind, object_id, before, after, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	before, err := jsonOf(a.Before)
	if err != nil {
		return fmt.Errorf("audit: %s: %w", a.Name, err)
	}
	after, err := jsonOf(a.After)
	if err != nil {
		return fmt.Errorf("audit: %s: %w", a.Name, err)
	}
	_, err = tx.ExecContext(ctx, insert, a.Name, a.EntityID, a.OrganisationID, a.ObjectKind, a.ObjectID, before, after, a.Reason)
	return err
}

// jsonOf returns the argument for a jsonb column; nil for nil.
func jsonOf(value any) (any, error) {
	if value == nil {
		return nil, nil
	}
	text, err := json.Marshal(value)
	return string(text), err
}
