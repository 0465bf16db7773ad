package giftimport

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/people/audit"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
)

// Import is an import of a file.
type Import struct {
	ID          uuid.UUID     `db:"id"`
	EntityID    uuid.UUID     `db:"entity_id"`
	N           int           `db:"n"`
	Name        string        `db:"name"`
	Content     []byte        `db:"content"` // nil: it ended, or was discarded
	Fingerprint []byte        `db:"fingerprint"`
	Rows        int           `db:"rows"`
	Mapping     Mapping       `db:"mapping"`
	WithoutBad  bool          `db:"without_bad"`
	Posted      int           `db:"posted"`
	TotalMinor  int64         `db:"total"`
	LeftOut     int           `db:"left_out"`
	Problem     string        `db:"problem"` // a phrase; empty: none
	UploadedBy  uuid.NullUUID `db:"uploaded_by"`
	UploadedAt  time.Time     `db:"uploaded_at"`
	OrderedBy   uuid.NullUUID `db:"ordered_by"`
	OrderedAt   *time.Time    `db:"ordered_at"`
	EndedAt     *time.Time    `db:"ended_at"`
	DiscardedAt *time.Time    `db:"discarded_at"`
	UndoAt      *time.Time    `db:"undo_at"`
	UndoneAt    *time.Time    `db:"undone_at"`
}

// State is where an import stands.
type State string

// The states.
const (
	Uploaded  State = "uploaded"
	Running   State = "running"
	Ended     State = "ended"
	Undoing   State = "undoing"
	Undone    State = "undone"
	Discarded State = "discarded"
)

// State returns where the import stands.
func (i Import) State() State {
	switch {
	case i.DiscardedAt != nil:
		return Discarded
	case i.UndoneAt != nil:
		return Undone
	case i.UndoAt != nil:
		return Undoing
	case i.EndedAt != nil:
		return Ended
	case i.OrderedAt != nil:
		return Running
	}
	return Uploaded
}

// Total returns what the posted gifts come to.
func (i Import) Total(c money.Currency) money.Amount { return money.New(i.TotalMinor, c) }

// Table returns the rows of the file.
func (i Import) Table() (Table, error) {
	if i.Content == nil {
		return Table{}, ErrGone
	}
	return unpack(i.Content)
}

// Why an act is refused. The phrases are templates/office's.
var (
	ErrGone     error = fault.New(fault.Conflict, "office.import.problem.gone", nil)
	ErrAgain    error = fault.New(fault.Conflict, "office.import.problem.again", nil)
	ErrState    error = fault.New(fault.Conflict, "office.import.problem.state", nil)
	ErrBad      error = fault.New(fault.Conflict, "office.import.problem.bad", nil)
	ErrNothing  error = fault.New(fault.Conflict, "office.import.problem.nothing", nil)
	ErrPerson   error = fault.New(fault.Forbidden, "office.import.problem.person", nil)
	ErrPoster   error = fault.New(fault.Forbidden, "office.import.problem.poster", nil)
	errNotFound error = fault.New(fault.NotFound, "problem.404.text", nil)
)

func explained(err error) error {
	for constraint, reason := range map[string]error{
		"gift_import_once": ErrAgain, "gift_import_keeps": ErrState, "gift_import_person": ErrPerson, "gift_import_poster": ErrPoster,
	} {
		if pg.Violates(err, constraint) {
			return reason
		}
	}
	return err
}

const columns = `id, entity_id, n, name, fingerprint, rows, mapping, without_bad, posted, total, left_out, coalesce(problem, '') AS problem, uploaded_by, uploaded_at, ordered_by,
	ordered_at, ended_at, discarded_at, undo_at, undone_at `

// ByN returns an import of an entity with its content; fault.NotFound if there is none that q may see.
func ByN(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, n int) (Import, error) {
	const query = `/* giftimport.ByN */ SELECT ` + columns + `, content FROM gift_import WHERE entity_id = $1 AND n = $2`
	return one(ctx, q, query, entity, n)
}

// ByID returns an import with its content.
func ByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (Import, error) {
	const query = `/* giftimport.ByID */ SELECT ` + columns + `, content FROM gift_import WHERE id = $1`
	return one(ctx, q, query, id)
}

func one(ctx context.Context, q sqlx.QueryerContext, query string, args ...any) (Import, error) {
	var found []Import
	if err := sqlx.SelectContext(ctx, q, &found, query, args...); err != nil {
		return Import{}, err
	}
	if len(found) == 0 {
		return Import{}, errNotFound
	}
	return found[0], nil
}

// Page returns imports of an entity, the newest first, with numbers below before (0: from the newest), and whether there are more.
func Page(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, before, limit int) (page []Import, more bool, err error) {
	const query = `/* giftimport.Page */ SELECT ` + columns + `FROM gift_import WHERE entity_id = $1 AND ($2 = 0 OR n < $2) AND discarded_at IS NULL ORDER BY n DESC LIMIT $3`
	if err := sqlx.SelectContext(ctx, q, &page, query, entity, before, limit+1); err != nil {
		return nil, false, err
	}
	return page[:min(len(page), limit)], len(page) > limit, nil
}

// MappingOf returns what the columns of files with these headings were the last time, or what they seem to be.
func MappingOf(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, t Table) (Mapping, error) {
	const known = `/* giftimport.MappingOf */ SELECT mapping FROM gift_import_mapping WHERE entity_id = $1 AND fingerprint = $2`
	var remembered []Mapping
	hash := t.fingerprint()
	if err := sqlx.SelectContext(ctx, q, &remembered, known, entity, hash[:]); err != nil || len(remembered) == 0 {
		return Guess(t), err
	}
	return remembered[0], nil
}

// UploadTx stores a file to be looked at, in the session of who types batches, with the mapping that files with its headings had the last time. It
// reports ErrAgain for a file that was imported, and forgets files that nobody ordered for a day.
func UploadTx(ctx context.Context, tx *sqlx.Tx, id, entity uuid.UUID, name string, raw []byte, t Table) (n int, err error) {
	const forget = `/* giftimport.UploadTx */
		UPDATE gift_import SET content = NULL, discarded_at = 'epoch' WHERE entity_id = $1 AND ordered_at IS NULL AND discarded_at IS NULL
		   AND (uploaded_at < clock_timestamp() - interval '1 day' OR sha256 = $2)`
	const insert = `/* giftimport.UploadTx */
		INSERT INTO gift_import (id, entity_id, name, sha256, content, fingerprint, rows, mapping) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING n`
	sum, hash := sha256.Sum256(raw), t.fingerprint()
	if _, err := tx.ExecContext(ctx, forget, entity, sum[:]); err != nil {
		return 0, explained(err)
	}
	mapping, err := MappingOf(ctx, tx, entity, t)
	if err != nil {
		return 0, err
	}
	content, err := t.pack()
	if err != nil {
		return 0, err
	}
	if err := tx.GetContext(ctx, &n, insert, id, entity, cut(name), sum[:], content, hash[:], len(t.Rows), mapping); err != nil {
		return 0, explained(err)
	}
	return n, recordTx(ctx, tx, "import.uploaded", entity, id, map[string]any{"rows": len(t.Rows), "format": t.Format})
}

func cut(name string) string {
	runes := []rune(name)
	return string(runes[:min(len(runes), 200)])
}

// MapTx says what the columns are, and remembers it for files with the same headings.
func MapTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, n int, m Mapping) error {
	const query = `/* giftimport.MapTx */ UPDATE gift_import SET mapping = $2, problem = NULL WHERE id = $1`
	const remember = `/* giftimport.MapTx */
		INSERT INTO gift_import_mapping (entity_id, fingerprint, mapping) VALUES ($1, $2, $3) ON CONFLICT (entity_id, fingerprint) DO UPDATE SET mapping = excluded.mapping`
	i, err := lockTx(ctx, tx, entity, n)
	if err != nil {
		return err
	}
	if i.State() != Uploaded {
		return ErrState
	}
	if _, err := tx.ExecContext(ctx, query, i.ID, m); err != nil {
		return explained(err)
	}
	_, err = tx.ExecContext(ctx, remember, entity, i.Fingerprint, m)
	return err
}

// OrderTx orders that an import is posted, and enqueues its job. withoutBad: rows that cannot be read are left out. It is for the entity's finance.
func (s Service) OrderTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, n int, withoutBad bool) error {
	const query = `/* giftimport.OrderTx */ UPDATE gift_import SET ordered_at = 'epoch', without_bad = $2, problem = NULL WHERE id = $1`
	i, err := lockTx(ctx, tx, entity, n)
	if err != nil {
		return err
	}
	switch i.State() {
	case Running, Ended:
		return nil
	case Uploaded:
	default:
		return ErrState
	}
	if _, err := tx.ExecContext(ctx, query, i.ID, withoutBad); err != nil {
		return explained(err)
	}
	if err := s.Queue.EnqueueTx(ctx, tx, Job{i.ID}); err != nil {
		return err
	}
	return recordTx(ctx, tx, "import.ordered", entity, i.ID, map[string]any{"rows": i.Rows, "without_bad": withoutBad})
}

// DiscardTx puts a file away that was not ordered.
func DiscardTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, n int) error {
	const query = `/* giftimport.DiscardTx */ UPDATE gift_import SET content = NULL, discarded_at = 'epoch' WHERE id = $1`
	i, err := lockTx(ctx, tx, entity, n)
	if err != nil || i.State() == Discarded {
		return err
	}
	if i.State() != Uploaded {
		return ErrState
	}
	if _, err := tx.ExecContext(ctx, query, i.ID); err != nil {
		return explained(err)
	}
	return recordTx(ctx, tx, "import.discarded", entity, i.ID, nil)
}

// UndoTx orders that an import is undone, and enqueues its job.
func (s Service) UndoTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, n int) error {
	const query = `/* giftimport.UndoTx */ UPDATE gift_import SET undo_at = 'epoch', problem = NULL WHERE id = $1`
	i, err := lockTx(ctx, tx, entity, n)
	if err != nil {
		return err
	}
	switch i.State() {
	case Undoing, Undone:
		return nil
	case Ended:
	default:
		return ErrState
	}
	if _, err := tx.ExecContext(ctx, query, i.ID); err != nil {
		return explained(err)
	}
	if err := s.Queue.EnqueueTx(ctx, tx, Job{i.ID}); err != nil {
		return err
	}
	return recordTx(ctx, tx, "import.undo", entity, i.ID, map[string]any{"gifts": i.Posted, "total": i.TotalMinor})
}

// lockTx locks an import until the transaction ends, and returns it.
func lockTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, n int) (Import, error) {
	const query = `/* giftimport.lockTx */ SELECT id FROM gift_import WHERE entity_id = $1 AND n = $2 FOR NO KEY UPDATE`
	if _, err := tx.ExecContext(ctx, query, entity, n); err != nil {
		return Import{}, err
	}
	return ByN(ctx, tx, entity, n)
}

func recordTx(ctx context.Context, tx *sqlx.Tx, name string, entity, id uuid.UUID, after any) error {
	return audit.RecordTx(ctx, tx, audit.Act{
		Name: name, EntityID: uuid.NullUUID{UUID: entity, Valid: true}, ObjectKind: "gift_import", ObjectID: id.String(), After: after,
	})
}

// Job posts an import, or undoes it.
type Job struct {
	ImportID uuid.UUID `json:"import_id"`
}

// Kind returns the job's kind in river_job.
func (Job) Kind() string { return "gift_import" }

// Queue returns the queue in which the job waits.
func (Job) Queue() jobs.QueueName { return jobs.Office }

func languageOf(m Mapping) phrase.Language {
	if m.DecimalsOf == "" {
		return phrase.English
	}
	return phrase.Language(m.DecimalsOf)
}
