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
	kindCard = "card"
	cardList = "cards"
)

// Cards mails the cards of dedications.
type Cards struct {
	Receipts Receipts // by whose means they go
	Catalog  *fund.CatalogCache
}

// Register takes the job of mailing a card.
func (c Cards) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job donation.TributeCardJob) error { return c.Mail(ctx, job.DonationID) })
}

// Mail sends the card of a gift, once, under the rules of receipts' letters. A card that was purged before it
// was written is not sent.
func (c Cards) Mail(ctx context.Context, donationID uuid.UUID) error {
	r := c.Receipts
	l, err := find(ctx, r.DB, kindCard, donationID)
	if err == nil && l == nil {
		l, err = c.rendered(ctx, donationID)
	}
	if err != nil || l == nil {
		return err
	}
	return r.hand(ctx, *l)
}

func (c Cards) rendered(ctx context.Context, donationID uuid.UUID) (*letter, error) {
	catalog, err := c.Catalog.Current(ctx)
	if err != nil {
		return nil, err
	}
	card, err := donation.TributeCardOf(ctx, c.Receipts.DB, catalog, donationID)
	if err != nil || card == nil {
		return nil, err
	}
	l := Letter{
		ID: card.DonationID, Kind: kindCard, List: cardList, Sender: card.Entity.Slug, From: card.Entity.MailFrom,
		To: card.CardEmail, ToName: card.CardName, Language: string(card.Language), Date: card.SettledAt,
	}
	l.Subject, l.Text, l.HTML, err = c.Receipts.View.TributeCardEmail(view.TributeCardWords{
		Language: card.Language, Accent: card.Organisation.Accent, Organisation: card.Organisation.Name.In(card.Language),
		Donee: view.Donee{Name: card.Entity.LegalName, EIN: card.Entity.EIN, Address: donation.Postal(card.Entity.Address)},
		To:    card.CardName, Giver: card.DonorName, Kind: string(card.Kind), Name: card.Name, Message: card.CardMessage,
	})
	if err != nil {
		return nil, err
	}
	return c.Receipts.compose(ctx, l, card.Entity.ID)
}
