package donation

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/phrase"
)

// CardLetter is the job of mailing the card of a dedication. It is enqueued when the gift settles, never
// for a gift that is held.
type TributeCardJob struct {
	DonationID uuid.UUID `json:"donation_id"`
}

// Kind names the job.
func (TributeCardJob) Kind() string { return "card_letter" }

// cards are the jobs of the settled gifts' cards.
func (b *batch) tributeCardJobs() []jobs.Job {
	var letters []jobs.Job
	for _, g := range b.settled {
		if g.dedication != nil && g.dedication.HasCard() {
			letters = append(letters, TributeCardJob{g.ID})
		}
	}
	return letters
}

// Card is what a card says. It knows nothing of amounts: a card never tells how much was given.
type TributeCard struct {
	DonationID   uuid.UUID
	Entity       org.LegalEntity
	Organisation org.Organisation
	Language     phrase.Language
	DonorName    string // empty: asked not to be named
	Dedication
	SettledAt time.Time
}

// CardOf gathers the card of a settled gift; nil when there is none to send, or it was purged.
func TributeCardOf(ctx context.Context, q sqlx.QueryerContext, catalog *fund.Catalog, donation uuid.UUID) (*TributeCard, error) {
	d, err := ByID(ctx, q, donation)
	if err != nil {
		return nil, err
	}
	dedication, err := DedicationOf(ctx, q, donation)
	if err != nil || dedication == nil || !dedication.HasCard() || d.Status != Settled {
		return nil, err
	}
	card := TributeCard{DonationID: d.ID, Language: phrase.Language(d.Language), Dedication: *dedication, SettledAt: *d.SettledAt}
	if !d.Anonymous {
		giver, err := ContactOf(ctx, q, donation)
		if err != nil {
			return nil, err
		}
		card.DonorName = giver.FirstName + " " + giver.LastName // a dedication never outlives its contact
	}
	if card.Organisation, err = catalog.OrganisationByID(d.OrganisationID); err != nil {
		return nil, err
	}
	card.Entity, err = catalog.EntityByID(d.EntityID)
	return &card, err
}
