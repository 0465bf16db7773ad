package privacy

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

// EmailJob is the job of the first email: it says what will be erased, and when.
type EmailJob struct {
	ErasureID uuid.UUID `json:"erasure_id"`
}

// Kind returns the job's name in the queue.
func (EmailJob) Kind() string { return "erasure_letter" }

// Queue returns the queue in which the job waits.
func (EmailJob) Queue() jobs.QueueName { return jobs.Emails }

// CompletedEmailJob is the job of the email after the erasure, the last one the person gets.
type CompletedEmailJob struct {
	ErasureID uuid.UUID `json:"erasure_id"`
}

// Kind returns the job's name in the queue.
func (CompletedEmailJob) Kind() string { return "erasure_farewell" }

// Queue returns the queue in which the job waits.
func (CompletedEmailJob) Queue() jobs.QueueName { return jobs.Emails }

// ByID returns one erasure.
func ByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (e Erasure, err error) {
	const query = `/* privacy.ByID */ SELECT ` + columns + ` FROM erasure WHERE id = $1`
	err = sqlx.GetContext(ctx, q, &e, query, id)
	return e, err
}

// Standing is where the newest request to erase a donor stands.
type Standing struct {
	ID          uuid.UUID  `db:"id"`
	RequestedAt time.Time  `db:"asked_at"`
	RequestedBy string     `db:"asked_by"`
	DueAt       time.Time  `db:"due_at"`
	WithdrawnAt *time.Time `db:"withdrawn_at"`
	ErasedAt    *time.Time `db:"erased_at"` // when the donor was erased for the first time; nil: not yet
}

// StandingOf returns where the newest request to erase a donor stands, without what is sealed; nil if there is none.
func StandingOf(ctx context.Context, q sqlx.QueryerContext, donor uuid.UUID) (*Standing, error) {
	const query = `/* privacy.StandingOf */ SELECT e.id, e.asked_at, e.asked_by, e.due_at, e.withdrawn_at, d.erased_at
		  FROM erasure_donor d JOIN erasure e ON e.id = d.erasure_id WHERE d.donor_id = $1 ORDER BY d.erased_at IS NULL, e.asked_at DESC LIMIT 1`
	var found []Standing
	if err := sqlx.SelectContext(ctx, q, &found, query, donor); err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// List returns all erasures, newest first.
func List(ctx context.Context, q sqlx.QueryerContext) (all []Erasure, err error) {
	const query = `/* privacy.List */ SELECT ` + columns + ` FROM erasure ORDER BY asked_at DESC, id`
	err = sqlx.SelectContext(ctx, q, &all, query)
	return all, err
}

// Recipient returns the address for an erasure's emails; "" if there is none, or if the last email was sent.
func (k Eraser) Recipient(e Erasure) (string, error) {
	if e.SealedRecipient == nil {
		return "", nil
	}
	text, err := k.open(sealedRecipient, e.SealedRecipient, e.ID)
	return string(text), err
}

// DeleteRecipient deletes the address after the last email was sent.
func (k Eraser) DeleteRecipient(ctx context.Context, id uuid.UUID) error {
	const query = `/* privacy.DeleteRecipient */ UPDATE erasure SET tell = NULL WHERE id = $1`
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query, id)
		return err
	})
}

// Donors returns the donors of an erasure.
func Donors(ctx context.Context, q sqlx.QueryerContext, erasure uuid.UUID) (ids []uuid.UUID, err error) {
	const query = `/* privacy.Donors */ SELECT donor_id FROM erasure_donor WHERE erasure_id = $1 ORDER BY donor_id`
	err = sqlx.SelectContext(ctx, q, &ids, query, erasure)
	return ids, err
}

func (k Eraser) insertTx(ctx context.Context, tx *sqlx.Tx, e Erasure, donors []uuid.UUID, macs [][]byte) error {
	const add = `/* privacy.insertTx */ INSERT INTO erasure (id, asked_at, asked_by, language, due_at, tell, entity_id) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	const of = `/* privacy.insertTx */ INSERT INTO erasure_donor (erasure_id, donor_id) SELECT $1, unnest($2::uuid[])`
	const named = `/* privacy.insertTx */ INSERT INTO erasure_address (erasure_id, mac) SELECT $1, unnest($2::bytea[])`
	if _, err := tx.ExecContext(ctx, add, e.ID, e.RequestedAt, e.RequestedBy, e.Language, e.DueAt, e.SealedRecipient, e.EntityID); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, of, e.ID, pg.UUIDs(donors)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, named, e.ID, pq.ByteaArray(macs))
	return err
}
