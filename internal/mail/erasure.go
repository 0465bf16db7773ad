package mail

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/office/privacy"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// The letters about being forgotten, and their stream.
const (
	kindErasureAsked = "erasure_asked"
	kindErasureDone  = "erasure_done"
	privacyList      = "privacy"
)

// Erasures mails the letter before somebody is forgotten, and the last one. That is not kept: its bytes hold the address.
type Erasures struct {
	Mailer
	Privacy privacy.Eraser
	Catalog *fund.CatalogCache
}

// Register takes the jobs of mailing them.
func (m Erasures) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job privacy.EmailJob) error { return m.Mail(ctx, job.ErasureID) })
	jobs.Handle(h, func(ctx context.Context, job privacy.CompletedEmailJob) error {
		return m.MailCompleted(ctx, job.ErasureID)
	})
}

// Mail sends the letter before, once, unless the wish was withdrawn or is done.
func (m Erasures) Mail(ctx context.Context, id uuid.UUID) error {
	e, err := privacy.ByID(ctx, m.DB, id)
	if err != nil || e.WithdrawnAt != nil || e.DoneAt != nil {
		return err
	}
	l, err := findStored(ctx, m.DB, kindErasureAsked, id)
	if err == nil && l == nil {
		written, entity, err := m.write(ctx, e, kindErasureAsked)
		if err != nil || written == nil {
			return err
		}
		if l, err = m.composeAndStore(ctx, *written, entity.ID); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	return m.deliverFirst(ctx, *l)
}

// Farewell sends the letter after, and forgets the address. Sent once more, it has the same Message-ID.
func (m Erasures) MailCompleted(ctx context.Context, id uuid.UUID) error {
	e, err := privacy.ByID(ctx, m.DB, id)
	if err != nil || e.DoneAt == nil {
		return err
	}
	written, _, err := m.write(ctx, e, kindErasureDone)
	if err != nil || written == nil {
		return err
	}
	message, err := Compose(*written, KeyFor(m.DKIM, written.From))
	if err != nil {
		return err
	}
	_, err = m.Transport.Send(ctx, written.From, written.To, message)
	var refusal *Refusal
	if errors.As(err, &refusal) && refusal.Permanent() {
		m.Log.WarnContext(ctx, "farewell refused for good", "erasure", id, "code", refusal.Code)
	} else if err != nil {
		return err
	}
	return m.Privacy.DeleteRecipient(ctx, id)
}

// write words a letter; nil: nobody is to be told.
func (m Erasures) write(ctx context.Context, e privacy.Erasure, kind string) (*Email, org.LegalEntity, error) {
	to, err := m.Privacy.Recipient(e)
	if err != nil || to == "" {
		return nil, org.LegalEntity{}, err
	}
	catalog, err := m.Catalog.Current(ctx)
	if err != nil {
		return nil, org.LegalEntity{}, err
	}
	entity, err := privacy.SenderEntity(ctx, m.DB, catalog, e.ID)
	if err != nil {
		return nil, entity, err
	}
	words := view.ErasureEmailWords{
		Language: phrase.Language(e.Language), Donee: view.Donee{Name: entity.LegalName, EIN: entity.EIN, Address: donation.Postal(entity.Address)},
	}
	l := Email{ID: e.ID, Kind: kind, List: privacyList, Sender: entity.Slug, From: entity.MailFrom, To: to, Language: e.Language, Date: e.RequestedAt}
	if e.DoneAt != nil {
		l.Date = *e.DoneAt
	} else {
		words.Due = e.DueDate(entity)
	}
	l.Subject, l.Text, l.HTML, err = m.View.ErasureEmail(words)
	return &l, entity, err
}
