package ledger

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Task is something that waits for a person in finance: a fact that was booked to suspense, or by a rule
// of last resort, and why.
type Task struct {
	EntityID uuid.UUID
	Kind     string            // what is to be done: "payment.unexpected", "dispute.beyond-fund" …
	Subject  string            // the object it is about, by its id
	Detail   map[string]string // ids and figures, never a name or an address
}

// OpenTaskTx opens the task, unless one of the same kind was ever opened about the same subject.
func OpenTaskTx(ctx context.Context, tx *sqlx.Tx, t Task, newID func() uuid.UUID, now time.Time) error {
	const insert = `/* ledger.OpenTaskTx */
		INSERT INTO finance_task (id, entity_id, kind, subject, detail, opened_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (entity_id, kind, subject) DO NOTHING`
	detail := []byte("{}")
	if len(t.Detail) > 0 {
		var err error
		if detail, err = json.Marshal(t.Detail); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, insert, newID(), t.EntityID, t.Kind, t.Subject, detail, now)
	return err
}
