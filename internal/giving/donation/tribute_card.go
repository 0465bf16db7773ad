package donation

import (
	"github.com/google/uuid"

	"konbit/internal/platform/jobs"
)

// TributeCardJob sends the card of a dedication by email. It is enqueued when the donation settles, and never for a
// donation that needs review.
type TributeCardJob struct {
	DonationID uuid.UUID `json:"donation_id"`
}

// Kind returns the job's kind, as rows of river_job have it.
func (TributeCardJob) Kind() string { return "card_letter" }

// Queue returns the queue in which the job waits.
func (TributeCardJob) Queue() jobs.QueueName { return jobs.Emails }

// tributeCardJobs returns the jobs that send the settled donations' cards.
func (b *batch) tributeCardJobs() []jobs.Job {
	var emails []jobs.Job
	for _, g := range b.settled {
		if g.dedication != nil && g.dedication.HasCard() {
			emails = append(emails, TributeCardJob{g.ID})
		}
	}
	return emails
}
