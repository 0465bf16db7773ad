package donation

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/dedication"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/phrase"
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

// TributeCard is what a card says. It has no amount: a card never says how much was given.
type TributeCard struct {
	DonationID   uuid.UUID
	Entity       org.LegalEntity
	Organisation org.Organisation
	Language     phrase.Language
	DonorName    string // empty: the donor is anonymous
	dedication.Dedication
	SettledAt time.Time
}

// TributeCardOf returns the card of a settled donation; nil if there is none to send, or it was purged.
func TributeCardOf(ctx context.Context, q sqlx.QueryerContext, catalog *fund.Catalog, donation uuid.UUID) (*TributeCard, error) {
	d, err := ByID(ctx, q, donation)
	if err != nil {
		return nil, err
	}
	dedicated, err := dedication.Of(ctx, q, donation)
	if err != nil || dedicated == nil || !dedicated.HasCard() || d.Status != Settled {
		return nil, err
	}
	card := TributeCard{DonationID: d.ID, Language: phrase.Language(d.Language), Dedication: *dedicated, SettledAt: *d.SettledAt}
	if !d.Anonymous {
		giver, err := ContactOf(ctx, q, donation)
		if err != nil {
			return nil, err
		}
		card.DonorName = strings.TrimSpace(giver.FirstName + " " + giver.LastName) // a dedication is deleted with its contact
	}
	if card.Organisation, err = catalog.OrganisationByID(d.OrganisationID); err != nil {
		return nil, err
	}
	card.Entity, err = catalog.EntityByID(d.EntityID)
	return &card, err
}
