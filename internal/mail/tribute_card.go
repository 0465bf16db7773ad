package mail

import (
	"context"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/jobs"
	"konbit/internal/view"
)

// The kind of a tribute card, and its stream.
const (
	kindTributeCard = "card"
	tributeCardList = "cards"
)

// TributeCards sends the cards of donations given in honour or in memory of a person.
type TributeCards struct {
	Mailer
	Catalog *fund.CatalogCache
}

// Register registers the job that sends a tribute card.
func (c TributeCards) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job donation.TributeCardJob) error { return c.Mail(ctx, job.DonationID) })
}

// Mail sends the card of a donation, once. It sends nothing if the card was purged before it was rendered.
func (c TributeCards) Mail(ctx context.Context, donationID uuid.UUID) error {
	return c.SendStored(ctx, kindTributeCard, donationID, func() (*Email, error) { return c.render(ctx, donationID) })
}

func (c TributeCards) render(ctx context.Context, donationID uuid.UUID) (*Email, error) {
	catalog, err := c.Catalog.Current(ctx)
	if err != nil {
		return nil, err
	}
	card, err := donation.TributeCardOf(ctx, c.DB, catalog, donationID)
	if err != nil || card == nil {
		return nil, err
	}
	email := &Email{
		ID: card.DonationID, EntityID: card.Entity.ID, Kind: kindTributeCard, List: tributeCardList,
		Sender: card.Entity.Slug, From: card.Entity.MailFrom,
		To: card.CardEmail, ToName: card.CardName, Language: string(card.Language), Date: card.SettledAt,
	}
	email.Subject, email.Text, email.HTML, err = c.View.TributeCardEmail(view.TributeCardWords{
		Language: card.Language, Accent: card.Organisation.Accent, Organisation: card.Organisation.Name.In(card.Language),
		Donee: DoneeOf(card.Entity), To: card.CardName, Giver: card.DonorName, Kind: string(card.Kind), Name: card.Name,
		Message: card.CardMessage,
	})
	return email, err
}
