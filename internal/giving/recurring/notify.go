package recurring

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/instalment"
	"konbit/internal/giving/owner"
	"konbit/internal/giving/plan"
	"konbit/internal/platform/jobs"
)

// EmailJob is the job that sends the email of an event; package mail handles it.
type EmailJob struct {
	EventID uuid.UUID `json:"event_id"`
}

// Kind returns the job's kind in river_job.
func (EmailJob) Kind() string { return "plan_letter" }

// Queue returns the queue in which the job waits.
func (EmailJob) Queue() jobs.QueueName { return jobs.Emails }

// notifyTx records an event and enqueues its email, once. It copies into the event what the email says about the plan,
// so that later changes do not show in it. It enqueues no email if the donor has no email address or was erased.
func (ps Plans) notifyTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, kind, cause string, d plan.Detail) error {
	d.N, d.Amount, d.Covered, d.Frequency, d.Next = p.Paid, p.NextCharge().Minor, p.CoveredMinor, string(p.Frequency), p.NextAt
	if p.CardBrand != nil && d.Last4 == "" {
		d.Brand = *p.CardBrand
		if p.CardLast4 != nil {
			d.Last4 = *p.CardLast4
		}
	}
	var err error
	if d.Given, err = instalment.SumOf(ctx, tx, p.ID); err != nil {
		return err
	}
	e, err := ps.recordEventTx(ctx, tx, p, kind, cause, d)
	if err != nil || e == nil {
		return err
	}
	return ps.enqueueEmailTx(ctx, tx, p, e.ID)
}

func (ps Plans) enqueueEmailTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, event uuid.UUID) error {
	to, err := owner.Addressee(ctx, tx, p.ID)
	if err != nil || to == nil || to.Email == "" {
		return err
	}
	return ps.Queue.EnqueueTx(ctx, tx, EmailJob{event})
}

// AskForCardTx sends a running plan's donor an email that asks for a card.
func (ps Plans) AskForCardTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID) error {
	p, err := lockPlanTx(ctx, tx, id)
	if err != nil || !p.Status.IsRunning() {
		return err
	}
	return ps.notifyTx(ctx, tx, p, plan.EventCardNeeded, ps.NewID().String(), plan.Detail{})
}
