package mail

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/dedication"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/phrase"
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
	card, err := tributeCardOf(ctx, c.DB, catalog, donationID)
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

// tributeCard is what a card says. It has no amount: a card never says how much was given.
type tributeCard struct {
	DonationID   uuid.UUID
	Entity       org.LegalEntity
	Organisation org.Organisation
	Language     phrase.Language
	DonorName    string // empty: the donor is anonymous
	dedication.Dedication
	SettledAt time.Time
}

// tributeCardOf returns the card of a settled donation; nil if there is none to send, or it was purged.
func tributeCardOf(ctx context.Context, q sqlx.QueryerContext, catalog *fund.Catalog, gift uuid.UUID) (*tributeCard, error) {
	d, err := donation.ByID(ctx, q, gift)
	if err != nil {
		return nil, err
	}
	dedicated, err := dedication.Of(ctx, q, gift)
	if err != nil || dedicated == nil || !dedicated.HasCard() || d.Status != donation.Settled {
		return nil, err
	}
	card := tributeCard{DonationID: d.ID, Language: phrase.Language(d.Language), Dedication: *dedicated, SettledAt: *d.SettledAt}
	if !d.Anonymous {
		giver, err := donation.ContactOf(ctx, q, gift)
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
