package mail

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// Mailer holds what every kind of email needs: rendering, storage and the SMTP transport. Each kind embeds it.
type Mailer struct {
	DB        *sqlx.DB
	View      *view.View
	Transport *Transport
	DKIM      []DKIM // signing keys; empty: emails are not signed
	NewID     func() uuid.UUID
	Now       func() time.Time
	// StopURL returns the address where a donor stops emails of a kind, without signing in. nil: emails contain no such address.
	StopURL func(donor uuid.UUID, kind string, lang phrase.Language) string
	Log     *slog.Logger
	// Yield blocks until more urgent work has finished; the caller calls done after rendering. nil: nothing is more urgent.
	Yield func(ctx context.Context) (done func())
}

// deliverFirst sends a stored email by its first delivery.
func (m Mailer) deliverFirst(ctx context.Context, e storedEmail) error {
	d, err := firstDelivery(ctx, m.DB, e.ID)
	if err != nil {
		return err
	}
	return m.deliver(ctx, e, d)
}

// composeAndStore composes the message of an email and stores it with its first delivery. If another worker stored one first,
// that one is returned. entity is the sender's legal entity; the email's ID becomes the subject's id.
func (m Mailer) composeAndStore(ctx context.Context, email Email, entity uuid.UUID) (*storedEmail, error) {
	message, err := Compose(email, KeyFor(m.DKIM, email.From))
	if err != nil {
		return nil, err
	}
	id, err := email.MessageID()
	if err != nil {
		return nil, err
	}
	now := m.Now()
	e := storedEmail{
		ID: m.NewID(), EntityID: entity, Kind: email.Kind, SubjectID: email.ID, Sender: email.From,
		MessageID: id, Message: message, RenderedAt: now,
	}
	if c := email.Choice; c != nil {
		e.DonorID, e.Choice = uuid.NullUUID{UUID: c.Donor, Valid: true}, &c.Kind
	}
	return store(ctx, m.DB, e, deliveryRow{ID: m.NewID(), EmailID: e.ID, Recipient: email.To, Cause: causeFirst, OrderedBy: "konbit", OrderedAt: now})
}
