package mail

import (
	"context"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/office/privacy"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// The kinds of emails about an erasure, and the stream that all of them are sent in.
const (
	kindErasureAsked = "erasure_asked"
	kindErasureDone  = "erasure_done"
	privacyList      = "privacy"
)

// Erasures sends the email that announces the erasure of a person's data, and the one that confirms it.
type Erasures struct {
	Mailer
	Privacy privacy.Eraser
	Catalog *fund.CatalogCache
}

// Register registers the jobs that send these emails.
func (m Erasures) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job privacy.EmailJob) error { return m.Mail(ctx, job.ErasureID) })
	jobs.Handle(h, func(ctx context.Context, job privacy.CompletedEmailJob) error {
		return m.MailCompleted(ctx, job.ErasureID)
	})
}

// Mail sends the email that announces an erasure, once. It sends nothing if the erasure was withdrawn or is completed.
func (m Erasures) Mail(ctx context.Context, id uuid.UUID) error {
	e, err := privacy.ByID(ctx, m.DB, id)
	if err != nil || e.WithdrawnAt != nil || e.DoneAt != nil {
		return err
	}
	return m.SendStored(ctx, kindErasureAsked, id, func() (*Email, error) { return m.render(ctx, e, kindErasureAsked) })
}

// MailCompleted sends the email that confirms an erasure, and erases the address. The email is not stored, because it
// contains the address. A repeat has the same Message-ID.
func (m Erasures) MailCompleted(ctx context.Context, id uuid.UUID) error {
	e, err := privacy.ByID(ctx, m.DB, id)
	if err != nil || e.DoneAt == nil {
		return err
	}
	email, err := m.render(ctx, e, kindErasureDone)
	if err != nil || !email.isSendable() {
		return err
	}
	if err := m.SendUnstored(ctx, email, id); err != nil {
		return err
	}
	return m.Privacy.DeleteRecipient(ctx, id)
}

// render returns an email about an erasure; nil if the person has no address, or it was erased already.
func (m Erasures) render(ctx context.Context, e privacy.Erasure, kind string) (*Email, error) {
	to, err := m.Privacy.Recipient(e)
	if err != nil || to == "" {
		return nil, err
	}
	catalog, err := m.Catalog.Current(ctx)
	if err != nil {
		return nil, err
	}
	entity, err := privacy.SenderEntity(ctx, m.DB, catalog, e.ID)
	if err != nil {
		return nil, err
	}
	words := view.ErasureEmailWords{Language: phrase.Language(e.Language), Donee: DoneeOf(entity)}
	email := &Email{
		ID: e.ID, EntityID: entity.ID, Kind: kind, List: privacyList, Sender: entity.Slug, From: entity.MailFrom,
		To: to, Language: e.Language, Date: e.RequestedAt,
	}
	if e.DoneAt != nil {
		email.Date = *e.DoneAt
	} else {
		words.Due = e.DueDate(entity)
	}
	email.Subject, email.Text, email.HTML, err = m.View.ErasureEmail(words)
	return email, err
}
