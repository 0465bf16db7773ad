package mail

import (
	"context"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/jobs"
	"konbit/internal/view"
)

// The kind of letter a card is, and its stream.
const (
	kindTributeCard = "card"
	tributeCardList = "cards"
)

// Cards mails the cards of dedications.
type TributeCards struct {
	Mailer
	Catalog *fund.CatalogCache
}

// Register takes the job of mailing a card.
func (c TributeCards) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job donation.TributeCardJob) error { return c.Mail(ctx, job.DonationID) })
}

// Mail sends the card of a gift, once, under the rules of receipts' letters. A card that was purged before it
// was written is not sent.
func (c TributeCards) Mail(ctx context.Context, donationID uuid.UUID) error {
	r := c
	l, err := findStored(ctx, r.DB, kindTributeCard, donationID)
	if err == nil && l == nil {
		l, err = c.rendered(ctx, donationID)
	}
	if err != nil || l == nil {
		return err
	}
	return r.deliverFirst(ctx, *l)
}

func (c TributeCards) rendered(ctx context.Context, donationID uuid.UUID) (*storedEmail, error) {
	catalog, err := c.Catalog.Current(ctx)
	if err != nil {
		return nil, err
	}
	card, err := donation.TributeCardOf(ctx, c.DB, catalog, donationID)
	if err != nil || card == nil {
		return nil, err
	}
	l := Email{
		ID: card.DonationID, Kind: kindTributeCard, List: tributeCardList, Sender: card.Entity.Slug, From: card.Entity.MailFrom,
		To: card.CardEmail, ToName: card.CardName, Language: string(card.Language), Date: card.SettledAt,
	}
	l.Subject, l.Text, l.HTML, err = c.View.TributeCardEmail(view.TributeCardWords{
		Language: card.Language, Accent: card.Organisation.Accent, Organisation: card.Organisation.Name.In(card.Language),
		Donee: view.Donee{Name: card.Entity.LegalName, EIN: card.Entity.EIN, Address: donation.Postal(card.Entity.Address)},
		To:    card.CardName, Giver: card.DonorName, Kind: string(card.Kind), Name: card.Name, Message: card.CardMessage,
	})
	if err != nil {
		return nil, err
	}
	return c.composeAndStore(ctx, l, card.Entity.ID)
}
