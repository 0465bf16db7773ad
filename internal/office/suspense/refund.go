package suspense

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/platform/jobs"
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
	Whole func(ctx context.Context, entitySlug, charge, key string) error
}

// Register registers the job.
func (r Refunds) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job RefundJob) error { return r.Execute(ctx, job.ResolutionID) })
}

// Execute refunds the charge of a resolution. It may run again: one refund comes of it. An error means that it must run again.
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
	return r.Whole(ctx, entity.Slug, of.Subject, "suspense:"+resolution.String())
}
