package mail

import (
	"context"
	"errors"
	"time"

	"konbit/internal/giving/donor"
	"konbit/internal/mail/transport"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/email"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// kindAddressMove is the kind of the email that proves the new address of a donor who lost a mailbox.
const kindAddressMove = "address_move"

// Errors of MoveRequest.Send.
var (
	ErrNoDonor     = errors.New("no donor has this address")
	ErrSameAddress = errors.New("both addresses are the same, so there is nothing to move: give the address that the donor reads now")
)

// MoveRequest sends the email by which a donor who lost a mailbox proves a new address. An operator orders it, and it
// is sent at once: it contains a secret, so it is not stored.
type MoveRequest struct {
	SignIns
	MoveLink func(token string, lang phrase.Language) string
}

// Send sends the email to the new address and returns until when its link works, as the business clock shows it. It
// reports ErrNoDonor if no donor has the lost address, and ErrSameAddress if it is the new one.
func (m MoveRequest) Send(ctx context.Context, lost, to string) (until time.Time, err error) {
	if err := email.CheckPlain(to); err != nil {
		return until, err
	}
	if email.Normalize(lost) == email.Normalize(to) {
		return until, ErrSameAddress
	}
	donors, err := donor.ByEmails(ctx, m.DB, []string{email.Normalize(lost)})
	if err != nil {
		return until, err
	}
	if len(donors) == 0 {
		return until, ErrNoDonor
	}
	catalog, err := m.Catalog.Current(ctx)
	if err != nil {
		return until, err
	}
	from, err := catalog.EntityByID(donors[0].EntityID)
	if err != nil {
		return until, err
	}
	token, until := m.Access.MoveToken(donoraccess.Move{DonorID: donors[0].ID, To: email.Normalize(to)})
	until = m.Shown(until).In(from.Location())
	lang := phrase.Language(donors[0].Language)
	message := &Email{
		ID: m.NewID(), Kind: kindAddressMove, List: signInList, Sender: from.Slug, From: from.MailFrom, To: email.Normalize(to),
		Language: string(lang), Date: m.Now(),
	}
	message.Subject, message.Text, message.HTML, err = m.View.MoveEmail(view.MoveEmailWords{
		Language: lang, Donee: DoneeOf(from), Link: m.MoveLink(token, lang), Until: until,
	})
	if err != nil {
		return until, err
	}
	bytes, err := Compose(*message, transport.KeyFor(m.DKIM, message.From))
	if err != nil {
		return until, err
	}
	_, err = m.Transport.Send(ctx, message.From, message.To, bytes)
	return until, err
}
