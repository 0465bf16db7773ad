package task

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/fault"
)

// Filter selects tasks. A zero field selects all.
type Filter struct {
	EntityID      uuid.UUID
	Code, Subject string
	Closed        bool // closed tasks too
}

const columns = `id, entity_id, kind, subject, detail, times, opened_at, closed_at, closed_by`

// List returns tasks, the earliest opened first.
func List(ctx context.Context, q sqlx.QueryerContext, f Filter) ([]Stored, error) {
	const query = `/* task.List */ SELECT ` + columns + ` FROM finance_task
		 WHERE (closed_at IS NULL OR $1) AND (entity_id = $2 OR $2 = $3) AND (kind = $4 OR $4 = '') AND (subject = $5 OR $5 = '')
		 ORDER BY opened_at, id`
	return read(ctx, q, query, f.Closed, f.EntityID, uuid.Nil, f.Code, f.Subject)
}

// Cursor is the place behind a task in the list of a page. The zero Cursor is the beginning.
type Cursor struct {
	At time.Time
	ID uuid.UUID
}

// Page returns the next tasks of an entity, open or closed ones, of the kinds (nil: of any), the newest first, at most limit,
// and the cursor of the following page; nil if this is the last one.
func Page(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, closed bool, kinds []string, after Cursor, limit int) (page []Stored,
	next *Cursor, err error) {
	const open = `/* task.Page */ SELECT ` + columns + ` FROM finance_task WHERE entity_id = $1 AND closed_at IS NULL AND ($2::text[] IS NULL OR kind = ANY($2))
		   AND ($3::timestamptz IS NULL OR (opened_at, id) < ($3, $4)) ORDER BY opened_at DESC, id DESC LIMIT $5`
	const ended = `/* task.Page */ SELECT ` + columns + ` FROM finance_task WHERE entity_id = $1 AND closed_at IS NOT NULL AND ($2::text[] IS NULL OR
		kind = ANY($2))
		   AND ($3::timestamptz IS NULL OR (closed_at, id) < ($3, $4)) ORDER BY closed_at DESC, id DESC LIMIT $5`
	query := open
	if closed {
		query = ended
	}
	var of any
	if kinds != nil {
		of = pq.Array(kinds)
	}
	page, err = read(ctx, q, query, entity, of, sql.NullTime{Time: after.At, Valid: !after.At.IsZero()}, after.ID, limit+1)
	if len(page) > limit {
		page = page[:limit]
		last := page[limit-1]
		next = &Cursor{last.OpenedAt, last.ID}
		if closed {
			next.At = *last.ClosedAt
		}
	}
	return page, next, err
}

// ByID returns a task; fault.NotFound if q may see none with this id.
func ByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (Stored, error) {
	const query = `/* task.ByID */ SELECT ` + columns + ` FROM finance_task WHERE id = $1`
	found, err := read(ctx, q, query, id)
	if err != nil || len(found) == 0 {
		return Stored{}, errorOr(err, fault.New(fault.NotFound, "", nil))
	}
	return found[0], nil
}

func errorOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// OpenByKind returns how many tasks of each kind are open in an entity.
func OpenByKind(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID) (map[string]int, error) {
	const query = `/* task.OpenByKind */ SELECT kind, count(*) AS count FROM finance_task WHERE closed_at IS NULL AND entity_id = $1 GROUP BY kind`
	var rows []struct {
		Kind  string `db:"kind"`
		Count int    `db:"count"`
	}
	err := sqlx.SelectContext(ctx, q, &rows, query, entity)
	counts := make(map[string]int, len(rows))
	for _, r := range rows {
		counts[r.Kind] = r.Count
	}
	return counts, err
}

func read(ctx context.Context, q sqlx.QueryerContext, query string, args ...any) ([]Stored, error) {
	rows, err := q.QueryxContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var tasks []Stored
	for rows.Next() {
		var t Stored
		var detail []byte
		if err := rows.Scan(&t.ID, &t.EntityID, &t.Code, &t.Subject, &detail, &t.Times, &t.OpenedAt, &t.ClosedAt, &t.ClosedBy); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(detail, &t.Detail); err != nil {
			return nil, err
		}
		tasks = append(tasks, t)
	}
	return tasks, rows.Err()
}
