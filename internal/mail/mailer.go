package mail

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/mail/difference"
	"konbit/internal/mail/transport"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// Mailer holds what every kind of email needs: rendering, storage and the SMTP transport. Each kind embeds it.
type Mailer struct {
	DB        *sqlx.DB
	View      *view.View
	Transport *transport.Transport
	Models    *difference.Models // nil: emails are stored whole
	DKIM      []transport.DKIM   // signing keys; empty: emails are not signed
	NewID     func() uuid.UUID
	Now       func() time.Time // the machine's clock: dates and deliveries of emails
	// Shown returns a moment of Now as the business clock shows it: for dates that a person reads, and for tasks.
	Shown func(at time.Time) time.Time
	// StopURL returns the address where a donor stops emails of a kind, without signing in. nil: emails contain no such
	// address.
	StopURL func(donor uuid.UUID, kind string, lang phrase.Language) string
	Log     *slog.Logger
	// Refused is called for each unstored email that was refused permanently, with what it is about; may be nil.
	Refused func(ctx context.Context, e Email, about any)
	// Yield blocks until more urgent work has finished; the caller calls done after rendering. nil: nothing is more
	// urgent.
	Yield func(ctx context.Context) (done func())
}

// renderer returns an email that was not stored before; nil if there is nothing to send.
type renderer func() (*Email, error)

// SendStored sends the email of a kind about a subject. The first call renders and stores it; later calls send the same
// email, and nothing if a mail server accepted them, refused them permanently, or the email was cancelled.
func (m Mailer) SendStored(ctx context.Context, kind string, subject uuid.UUID, render renderer) error {
	stored, begun, err := m.storedOrRendered(ctx, kind, subject, render, true)
	switch {
	case err != nil || stored == nil:
		return err
	case begun != nil:
		return m.attempt(ctx, *stored, *begun)
	}
	d, err := firstDelivery(ctx, m.DB, stored.ID)
	if err != nil {
		return err
	}
	return m.deliver(ctx, *stored, d)
}

// storedOrRendered returns the stored email of a kind about a subject. If there is none, it renders one and stores it;
// nil if there is nothing to send. If another worker stored one first, that one is returned. With send, begun is the
// delivery whose first attempt was counted when the email was stored; nil if none was.
func (m Mailer) storedOrRendered(ctx context.Context, kind string, subject uuid.UUID, render renderer, send bool) (
	stored *storedEmail, begun *deliveryRow, err error,
) {
	if stored, err = findStored(ctx, m.DB, kind, subject); stored != nil || err != nil {
		return stored, nil, err
	}
	for tries := 0; ; tries++ {
		email, err := render()
		if err != nil || !email.isSendable() {
			return nil, nil, err
		}
		stored, begun, err = m.composeAndStore(ctx, *email, send)
		if !errors.Is(err, errMoved) || tries == 3 {
			return stored, begun, err
		}
	}
}

// composeAndStore composes an email and stores it with its first delivery. Only the delivery has the address. With send,
// it counts the first attempt in the same transaction and returns the delivery, except of an email that its donor can stop:
// the donor's preference is read before each attempt.
func (m Mailer) composeAndStore(ctx context.Context, e Email, send bool) (_ *storedEmail, begun *deliveryRow, err error) {
	message, err := composeUnaddressed(e)
	if err != nil {
		return nil, nil, err
	}
	messageID, err := e.MessageID()
	if err != nil {
		return nil, nil, err
	}
	now := m.Now()
	stored := storedEmail{ID: m.NewID(), EntityID: e.EntityID, Kind: e.Kind, SubjectID: e.ID, Sender: e.From, MessageID: messageID, RenderedAt: now}
	if err := m.setMessage(ctx, &stored, message, e.Model); err != nil {
		return nil, nil, err
	}
	if c := e.Choice; c != nil {
		stored.DonorID, stored.Choice = uuid.NullUUID{UUID: c.Donor, Valid: true}, &c.Kind
	}
	d := deliveryRow{ID: m.NewID(), EmailID: stored.ID, Recipient: e.To, Cause: causeFirst, OrderedBy: "konbit", OrderedAt: now}
	return store(ctx, m.DB, stored, e.recheckTx, d, send && e.Choice == nil)
}

// SendUnstored composes and sends an email without storing it, because its text holds a secret or an address that is
// about to be erased. It reports a permanent refusal to Refused and the log, with about, and returns no error for it.
func (m Mailer) SendUnstored(ctx context.Context, e *Email, about any) error {
	if !e.isSendable() {
		return nil
	}
	err := pg.InTx(ctx, m.DB, func(tx *sqlx.Tx) error { return e.recheckTx(ctx, tx) })
	if err != nil {
		return err // the job renders the email anew
	}
	message, err := Compose(*e, transport.KeyFor(m.DKIM, e.From))
	if err != nil {
		return err
	}
	_, err = m.Transport.Send(ctx, e.From, e.To, message)
	var refusal *transport.Refusal
	if errors.As(err, &refusal) && refusal.Permanent() {
		if m.Refused != nil {
			m.Refused(ctx, *e, about)
		}
		m.Log.WarnContext(ctx, "email refused permanently", "kind", e.Kind, "about", about, "code", refusal.Code)
		return nil
	}
	return err
}

// destination returns the address that gets the emails to an address: the donor may have chosen another of theirs. ""
// stays "".
func (m Mailer) destination(ctx context.Context, address string) (string, error) {
	if address == "" {
		return "", nil
	}
	return donoraccess.Destination(ctx, m.DB, address)
}

// DoneeOf returns a legal entity as emails name it.
func DoneeOf(e org.LegalEntity) view.Donee {
	return view.Donee{Name: e.LegalName, EIN: e.EIN, Address: donation.Postal(e.Address)}
}
