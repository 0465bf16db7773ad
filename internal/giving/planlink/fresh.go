package planlink

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

// FreshEmailJob is the job that sends a plan's donor an email with a valid link; package mail handles it.
type FreshEmailJob struct {
	PlanID uuid.UUID `json:"plan_id"`
}

// Kind returns the job's kind in river_job.
func (FreshEmailJob) Kind() string { return "plan_link_letter" }

// Queue returns the queue in which the job waits.
func (FreshEmailJob) Queue() jobs.QueueName { return jobs.Emails }

// RequestFresh enqueues the email with a valid link to a plan. The email always goes to the plan's donor.
func (l Links) RequestFresh(ctx context.Context, plan uuid.UUID) error {
	return pg.InTx(ctx, l.DB, func(tx *sqlx.Tx) error { return l.Queue.EnqueueTx(ctx, tx, FreshEmailJob{plan}) })
}
