package ledger

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Task is something that waits for a person in finance: a fact that was booked to suspense or in another way
// than it ought to be, one that cannot be booked, or a letter that nobody takes.
type Task struct {
	EntityID uuid.UUID
	Kind     string            // what happened: "payment_without_gift", "payout_failed" …; the room that opens it names it
	Subject  string            // the object it is about, by its id
	Detail   map[string]string // ids and figures, never a name or an address
}

// OpenTaskTx opens the task. One of the same kind about the same subject that is open stays as it is; one that was
// closed opens again, with what is known now.
func OpenTaskTx(ctx context.Context, tx *sqlx.Tx, t Task, newID func() uuid.UUID, now time.Time) error {
	const insert = `/* ledger.OpenTaskTx */
		INSERT INTO finance_task (id, entity_id, kind, subject, detail, opened_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (entity_id, kind, subject) DO UPDATE
		   SET detail = EXCLUDED.detail, opened_at = EXCLUDED.opened_at, closed_at = NULL, times = finance_task.times + 1
		 WHERE finance_task.closed_at IS NOT NULL`
	detail := []byte("{}")
	if len(t.Detail) > 0 {
		var err error
		if detail, err = json.Marshal(t.Detail); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, insert, newID(), t.EntityID, t.Kind, t.Subject, string(detail), now)
	return err
}

// CloseTaskTx closes the task: somebody saw to it, or it has mended itself. Where none is open it changes nothing.
func CloseTaskTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, kind, subject string, now time.Time) error {
	const update = `/* ledger.CloseTaskTx */
		UPDATE finance_task SET closed_at = greatest($4, opened_at)
		 WHERE entity_id = $1 AND kind = $2 AND subject = $3 AND closed_at IS NULL`
	_, err := tx.ExecContext(ctx, update, entity, kind, subject, now)
	return err
}

// StoredTask is a task as the database keeps it.
type StoredTask struct {
	Task
	Times    int // how often it was opened
	OpenedAt time.Time
	ClosedAt *time.Time // nil while it is open
}

// TaskFilter chooses tasks; what is zero chooses all.
type TaskFilter struct {
	EntityID      uuid.UUID
	Kind, Subject string
	Closed        bool // those that are closed too
}

// Tasks lists tasks, those opened first before the others.
func Tasks(ctx context.Context, q sqlx.QueryerContext, f TaskFilter) ([]StoredTask, error) {
	const query = `/* ledger.Tasks */
		SELECT entity_id, kind, subject, detail, times, opened_at, closed_at FROM finance_task
		 WHERE (closed_at IS NULL OR $1) AND (entity_id = $2 OR $2 = $3) AND (kind = $4 OR $4 = '') AND (subject = $5 OR $5 = '')
		 ORDER BY opened_at, id`
	rows, err := q.QueryxContext(ctx, query, f.Closed, f.EntityID, uuid.Nil, f.Kind, f.Subject)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var tasks []StoredTask
	for rows.Next() {
		var t StoredTask
		var detail []byte
		if err := rows.Scan(&t.EntityID, &t.Kind, &t.Subject, &detail, &t.Times, &t.OpenedAt, &t.ClosedAt); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(detail, &t.Detail); err != nil {
			return nil, err
		}
		tasks = append(tasks, t)
	}
	return tasks, rows.Err()
}

// OpenTasks counts the tasks that are open.
func OpenTasks(ctx context.Context, q sqlx.QueryerContext) (n int, err error) {
	const query = `/* ledger.OpenTasks */ SELECT count(*) FROM finance_task WHERE closed_at IS NULL`
	return n, sqlx.GetContext(ctx, q, &n, query)
}
