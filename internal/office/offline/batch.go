package offline

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/people/audit"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// Batch is a batch of gifts.
type Batch struct {
	ID             uuid.UUID      `db:"id"`
	EntityID       uuid.UUID      `db:"entity_id"`
	OrganisationID uuid.NullUUID  `db:"organisation_id"` // a project's; not valid: the entity's
	N              int            `db:"n"`
	ReceivedOn     ledger.Date    `db:"received_on"`
	Counted        int            `db:"counted"` // so many gifts are on paper
	TotalMinor     int64          `db:"total"`   // they come to so much on paper
	Currency       money.Currency `db:"currency"`
	FundID         uuid.NullUUID  `db:"fund_id"` // of rows that name none
	Account        string         `db:"account"` // slug of the bank account; empty: not said
	Submission     uuid.UUID      `db:"submission"`
	CreatedBy      uuid.NullUUID  `db:"created_by"` // not valid: an operator
	CreatedAt      time.Time      `db:"created_at"`
	PostedBy       uuid.NullUUID  `db:"posted_by"`
	PostedAt       *time.Time     `db:"posted_at"` // nil: not posted
	Reason         string         `db:"reason"`    // why it was posted though count or total differ
	RemovedAt      *time.Time     `db:"removed_at"`

	Rows     int   `db:"rows"` // so far
	SumMinor int64 `db:"sum"`  // of the rows so far
}

// Agrees reports whether count and total so far are those on paper.
func (b Batch) Agrees() bool { return b.Rows == b.Counted && b.SumMinor == b.TotalMinor }

// IsOpen reports whether rows may be stored.
func (b Batch) IsOpen() bool { return b.PostedAt == nil && b.RemovedAt == nil }

// The reasons why something is refused. Their phrases are templates/office's.
var (
	ErrEnded     error = fault.New(fault.Conflict, "office.batch.problem.ended", nil)
	ErrPerson    error = fault.New(fault.Forbidden, "office.batch.problem.person", nil)
	ErrPoster    error = fault.New(fault.Forbidden, "office.batch.problem.poster", nil)
	ErrDiffers   error = fault.New(fault.Conflict, "office.batch.problem.differs", nil)
	ErrHasRows   error = fault.New(fault.Conflict, "office.batch.problem.has_rows", nil)
	ErrOtherForm error = fault.New(fault.Conflict, "office.batch.problem.other_form", nil)
	errNoBatch   error = fault.New(fault.NotFound, "problem.404.text", nil)
)

// explained returns the reason for which the database refused; else err.
func explained(err error) error {
	for constraint, reason := range map[string]error{
		"gift_batch_ended": ErrEnded, "gift_batch_person": ErrPerson, "gift_batch_poster": ErrPoster, "gift_batch_agrees": ErrDiffers,
		"gift_batch_has_rows": ErrHasRows, "gift_batch_row_keeps": ErrEnded,
	} {
		if pg.Violates(err, constraint) {
			return reason
		}
	}
	return err
}

const batchColumns = `b.id, b.entity_id, b.organisation_id, b.n, b.received_on, b.counted, b.total, b.currency, b.fund_id, coalesce(b.account, '') AS account,
	b.submission, b.created_by, b.created_at, b.posted_by, b.posted_at, coalesce(b.reason, '') AS reason, b.removed_at, s.rows, s.sum
	FROM gift_batch b CROSS JOIN LATERAL (SELECT count(*) AS rows, coalesce(sum(r.amount), 0)::bigint AS sum FROM gift_batch_row r
		WHERE r.batch_id = b.id AND r.removed_at IS NULL) s `

func batches(ctx context.Context, q sqlx.QueryerContext, query string, args ...any) (all []Batch, err error) {
	err = sqlx.SelectContext(ctx, q, &all, query, args...)
	return all, err
}

func one(all []Batch, err error) (Batch, error) {
	if err == nil && len(all) == 0 {
		err = errNoBatch
	}
	if err != nil {
		return Batch{}, err
	}
	return all[0], nil
}

// ByN returns a batch of an entity by its number; fault.NotFound if there is none that q may see.
func ByN(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, n int) (Batch, error) {
	const query = `/* offline.ByN */ SELECT ` + batchColumns + `WHERE b.entity_id = $1 AND b.n = $2`
	return one(batches(ctx, q, query, entity, n))
}

// ByID returns a batch; fault.NotFound if there is none that q may see.
func ByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (Batch, error) {
	const query = `/* offline.ByID */ SELECT ` + batchColumns + `WHERE b.id = $1`
	return one(batches(ctx, q, query, id))
}

// List returns batches of an entity, or of one of its organisations, that were not put away, the newest first, at most limit.
// before is the number of the last one of the page before; 0 for the first page.
func List(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, organisation uuid.NullUUID, before, limit int) ([]Batch, error) {
	const query = `/* offline.List */ SELECT ` + batchColumns + `
		WHERE b.entity_id = $1 AND ($2::uuid IS NULL OR b.organisation_id = $2) AND ($3 = 0 OR b.n < $3) AND b.removed_at IS NULL ORDER BY b.n DESC LIMIT $4`
	return batches(ctx, q, query, entity, organisation, before, limit)
}

// CountOpen returns how many batches of a scope are neither posted nor put away.
func CountOpen(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, organisation uuid.NullUUID) (n int, err error) {
	const query = `/* offline.CountOpen */ SELECT count(*) FROM gift_batch b
		WHERE b.entity_id = $1 AND ($2::uuid IS NULL OR b.organisation_id = $2) AND b.posted_at IS NULL AND b.removed_at IS NULL`
	err = sqlx.GetContext(ctx, q, &n, query, entity, organisation)
	return n, err
}

// BeginTx writes a batch, in the session of who types it. The same form sent again is the same batch. It returns the batch as it
// is stored.
func BeginTx(ctx context.Context, tx *sqlx.Tx, b Batch) (Batch, error) {
	const find = `/* offline.BeginTx */ SELECT ` + batchColumns + `WHERE b.submission = $1`
	const insert = `/* offline.BeginTx */
		INSERT INTO gift_batch (id, entity_id, organisation_id, received_on, counted, total, currency, fund_id, account, submission)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, nullif($9, ''), $10) ON CONFLICT (submission) DO NOTHING`
	done, err := tx.ExecContext(ctx, insert, b.ID, b.EntityID, b.OrganisationID, b.ReceivedOn.String(), b.Counted, b.TotalMinor, b.Currency, b.FundID,
		b.Account, b.Submission)
	if err != nil {
		return Batch{}, explained(err)
	}
	added, err := done.RowsAffected()
	if err != nil {
		return Batch{}, err
	}
	stored, err := one(batches(ctx, tx, find, b.Submission))
	switch {
	case err != nil:
		return Batch{}, err
	case added == 0 && (stored.EntityID != b.EntityID || stored.OrganisationID != b.OrganisationID):
		return Batch{}, ErrOtherForm
	case added == 0:
		return stored, nil
	}
	return stored, recordTx(ctx, tx, "batch.begun", stored, nil, stored.said())
}

// ChangeTx changes what the head of a batch says: day, count, total, fund and account.
func ChangeTx(ctx context.Context, tx *sqlx.Tx, b Batch) error {
	const query = `/* offline.ChangeTx */ UPDATE gift_batch SET received_on = $2, counted = $3, total = $4, fund_id = $5, account = nullif($6, '') WHERE id = $1`
	was, err := lockTx(ctx, tx, b.ID)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, query, b.ID, b.ReceivedOn.String(), b.Counted, b.TotalMinor, b.FundID, b.Account); err != nil {
		return explained(err)
	}
	return recordTx(ctx, tx, "batch.changed", was, was.said(), b.said())
}

// RemoveTx puts a batch away that has no rows. Here and elsewhere the database says when: it replaces the time of a statement.
func RemoveTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID) error {
	const query = `/* offline.RemoveTx */ UPDATE gift_batch SET removed_at = 'epoch' WHERE id = $1`
	was, err := lockTx(ctx, tx, id)
	if err != nil || was.RemovedAt != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, query, id); err != nil {
		return explained(err)
	}
	return recordTx(ctx, tx, "batch.removed", was, was.said(), nil)
}

// lockTx locks a batch until the transaction ends, and returns it.
func lockTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID) (Batch, error) {
	const query = `/* offline.lockTx */ SELECT id FROM gift_batch WHERE id = $1 FOR NO KEY UPDATE`
	if _, err := tx.ExecContext(ctx, query, id); err != nil {
		return Batch{}, err
	}
	return ByID(ctx, tx, id)
}

// said returns what the audit log says about a batch.
func (b Batch) said() map[string]any {
	said := map[string]any{"received_on": b.ReceivedOn.String(), "count": b.Counted, "total": b.TotalMinor, "currency": b.Currency}
	if b.FundID.Valid {
		said["fund"] = b.FundID.UUID
	}
	if b.Account != "" {
		said["account"] = b.Account
	}
	return said
}

func recordTx(ctx context.Context, tx *sqlx.Tx, name string, b Batch, before, after any) error {
	return audit.RecordTx(ctx, tx, audit.Act{
		Name: name, EntityID: uuid.NullUUID{UUID: b.EntityID, Valid: true}, OrganisationID: b.OrganisationID, ObjectKind: "gift_batch", ObjectID: b.ID.String(),
		Before: before, After: after, Reason: b.Reason,
	})
}
