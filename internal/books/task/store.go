package task

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// Task is something that a person has to see to.
type Task struct {
	EntityID uuid.UUID
	Kind     *Kind
	Subject  string            // id of the object it is about
	Detail   map[string]string // ids and figures
}

var errNoKind = errors.New("task: opened without a kind")

// OpenTx opens a task. If one of the same kind and subject is open, it stays as it is, but of a kind that closes
// automatically it gets the new details: such a task is about a state, and says how it is now. If one was closed, it opens
// again with the new details.
func OpenTx(ctx context.Context, tx *sqlx.Tx, t Task, newID func() uuid.UUID, now time.Time) error {
	const insert = `/* task.OpenTx */
		INSERT INTO finance_task (id, entity_id, kind, subject, detail, opened_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (entity_id, kind, subject) DO UPDATE
		   SET detail = EXCLUDED.detail, closed_at = NULL, closed_by = NULL, times = finance_task.times + (finance_task.closed_at IS NOT NULL)::integer,
		       opened_at = CASE WHEN finance_task.closed_at IS NULL THEN finance_task.opened_at ELSE EXCLUDED.opened_at END
		 WHERE finance_task.closed_at IS NOT NULL OR $7 AND finance_task.detail <> EXCLUDED.detail`
	if t.Kind == nil {
		return errNoKind
	}
	detail := []byte("{}")
	if len(t.Detail) > 0 {
		var err error
		if detail, err = json.Marshal(t.Detail); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, insert, newID(), t.EntityID, t.Kind.Code, t.Subject, string(detail), now, t.Kind.Closes == Automatically)
	return err
}

// RefreshTx opens a task as OpenTx does; if it is open, its details are replaced.
func RefreshTx(ctx context.Context, tx *sqlx.Tx, t Task, newID func() uuid.UUID, now time.Time) error {
	const update = `/* task.RefreshTx */ UPDATE finance_task SET detail = $4 WHERE entity_id = $1 AND kind = $2 AND subject = $3 AND closed_at IS NULL`
	if err := OpenTx(ctx, tx, t, newID, now); err != nil {
		return err
	}
	detail, err := json.Marshal(t.Detail)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, update, t.EntityID, t.Kind.Code, t.Subject, string(detail))
	return err
}

// CloseTx closes a task because its cause has ended. It changes nothing if none is open.
func CloseTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, kind *Kind, subject string, now time.Time) error {
	return closeTx(ctx, tx, entity, kind.Code, subject, now)
}

// CloseOfTx closes the tasks of a kind whose detail of that name has the value, because their cause has ended.
func CloseOfTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, kind *Kind, detail, value string, now time.Time) error {
	const update = `/* task.CloseOfTx */
		UPDATE finance_task SET closed_at = greatest($5, opened_at) WHERE entity_id = $1 AND kind = $2 AND detail ->> $3 = $4 AND closed_at IS NULL`
	_, err := tx.ExecContext(ctx, update, entity, kind.Code, detail, value, now)
	return err
}

// CloseStoredTx closes a task that a person has done. The task may be of another version of the program.
func CloseStoredTx(ctx context.Context, tx *sqlx.Tx, t Stored, now time.Time) error {
	return closeTx(ctx, tx, t.EntityID, t.Code, t.Subject, now)
}

// CloseByTx closes an open task for a member of the staff and reports whether it was open.
func CloseByTx(ctx context.Context, tx *sqlx.Tx, id, staff uuid.UUID, now time.Time) (closed bool, err error) {
	const update = `/* task.CloseByTx */ UPDATE finance_task SET closed_at = greatest($3, opened_at), closed_by = $2 WHERE id = $1 AND closed_at IS NULL`
	done, err := tx.ExecContext(ctx, update, id, staff, now)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

func closeTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, code, subject string, now time.Time) error {
	const update = `/* task.closeTx */
		UPDATE finance_task SET closed_at = greatest($4, opened_at)
		 WHERE entity_id = $1 AND kind = $2 AND subject = $3 AND closed_at IS NULL`
	_, err := tx.ExecContext(ctx, update, entity, code, subject, now)
	return err
}

// Stored is a row of finance_task.
type Stored struct {
	ID       uuid.UUID
	EntityID uuid.UUID
	Code     string // of its kind
	Subject  string
	Detail   map[string]string
	Times    int // how often it was opened
	OpenedAt time.Time
	ClosedAt *time.Time // nil while it is open
	ClosedBy *uuid.UUID // the member of staff; nil if it closed automatically or by a command of the operator
}

// Kind returns the kind of the task; nil if this version of the program has no such kind.
func (s Stored) Kind() *Kind { return Find(s.Code) }

// Target returns the object that the task leads to. Its id is empty if the task does not hold it.
func (s Stored) Target() (object Object, id string) {
	k := s.Kind()
	switch {
	case k == nil:
		return "", ""
	case k.Link.Detail == "":
		return k.Link.Object, s.Subject
	}
	return k.Link.Object, s.Detail[k.Link.Detail]
}

// CountOpen returns the number of open tasks.
func CountOpen(ctx context.Context, q sqlx.QueryerContext) (n int, err error) {
	const query = `/* task.CountOpen */ SELECT count(*) FROM finance_task WHERE closed_at IS NULL`
	return n, sqlx.GetContext(ctx, q, &n, query)
}

// CloseAboutTx closes the open tasks of some kinds about a subject, or about a charge that their details name, for a member of the
// staff who has seen to it.
func CloseAboutTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, kinds []string, subject string, staff uuid.UUID, now time.Time) error {
	const update = `/* task.CloseAboutTx */
		UPDATE finance_task SET closed_at = greatest($5, opened_at), closed_by = $4
		 WHERE entity_id = $1 AND kind = ANY($2) AND (subject = $3 OR detail ->> 'charge' = $3) AND closed_at IS NULL`
	_, err := tx.ExecContext(ctx, update, entity, pq.Array(kinds), subject, staff, now)
	return err
}
