package suspense

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/task"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/refundcall"
)

// RefundJob is the job that refunds a charge in suspense, which two people decided.
type RefundJob struct {
	ResolutionID uuid.UUID `json:"resolution_id"`
}

// Kind returns the job's kind in river_job.
func (RefundJob) Kind() string { return "suspense_refund" }

// Queue returns the queue in which the job waits.
func (RefundJob) Queue() jobs.QueueName { return jobs.Office }

// Refunds makes the refunds of charges in suspense.
type Refunds struct {
	DB      *sqlx.DB
	Catalog *fund.CatalogCache
	// Whole refunds a whole charge, once for a key; it does nothing if a part was refunded already.
	// It returns a refundcall.RefusedError if the processor refuses for good.
	Whole func(ctx context.Context, entitySlug, charge, key string) error
	NewID func() uuid.UUID
	Now   func() time.Time
}

// taskRefused is the kind of the task about a charge in suspense that the processor does not refund. Subject: the charge.
var taskRefused = task.Register(task.Kind{
	Code: "suspense_refund_refused", Severity: task.Urgent, For: task.Finance, Link: task.Link{Object: task.Payment}, Closes: task.ByPerson,
})

// Register registers the job.
func (r Refunds) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job RefundJob) error { return r.Execute(ctx, job.ResolutionID) })
}

// Execute refunds the charge of a resolution. It may run again: one refund comes of it. An error means that it must run again. If
// the processor refuses for good, it opens a task; the amount stays in suspense.
func (r Refunds) Execute(ctx context.Context, resolution uuid.UUID) error {
	const query = `/* suspense.Execute */ SELECT entity_id, subject FROM suspense_resolution WHERE id = $1 AND refunded`
	var of struct {
		EntityID uuid.UUID `db:"entity_id"`
		Subject  string    `db:"subject"`
	}
	if err := r.DB.GetContext(ctx, &of, query, resolution); err != nil {
		return err
	}
	catalog, err := r.Catalog.Current(ctx)
	if err != nil {
		return err
	}
	entity, err := catalog.EntityByID(of.EntityID)
	if err != nil {
		return err
	}
	err = r.Whole(ctx, entity.Slug, of.Subject, "suspense:"+resolution.String())
	var refused refundcall.RefusedError
	if !errors.As(err, &refused) {
		return err
	}
	return pg.InTx(ctx, r.DB, func(tx *sqlx.Tx) error {
		return task.OpenTx(ctx, tx, task.Task{
			EntityID: of.EntityID, Kind: taskRefused, Subject: of.Subject, Detail: map[string]string{"reason": refused.Code},
		}, r.NewID, r.Now())
	})
}
