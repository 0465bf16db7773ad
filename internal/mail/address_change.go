package mail

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// The kinds of letters that tell of an address joined to others, and of one taken away.
const (
	kindAddressLinked   = "address_joined"
	kindAddressUnlinked = "address_parted"
)

// Moved tells all addresses concerned that one was joined to others or taken away from them. They are not kept, as those that let
// somebody in are not. Each has its own Message-ID, the same when it is sent once more.
func (m SignIns) MailAddressChange(ctx context.Context, step int64) error {
	moved, err := m.Access.ReadAddressLinked(ctx, step)
	if err != nil || moved == nil {
		return err
	}
	var failed error
	for _, to := range moved.Recipients {
		failed = errors.Join(failed, m.mailAddressChangeTo(ctx, step, *moved, to))
	}
	return failed
}

func (m SignIns) mailAddressChangeTo(ctx context.Context, step int64, moved donoraccess.AddressLinked, to string) error {
	from, known, err := m.sender(ctx, to)
	if err != nil || !known {
		return err
	}
	lang, err := m.languageFor(ctx, append([]string{to}, moved.Recipients...))
	if err != nil {
		return err
	}
	written, err := m.writeAddressChange(step, moved, to, from, lang)
	if err != nil {
		return err
	}
	message, err := Compose(written, KeyFor(m.DKIM, written.From))
	if err != nil {
		return err
	}
	_, err = m.Transport.Send(ctx, written.From, to, message)
	var refusal *Refusal
	if errors.As(err, &refusal) && refusal.Permanent() {
		m.Log.WarnContext(ctx, "letter about an address refused for good", "step", step, "code", refusal.Code)
		return nil
	}
	return err
}

// speaks is the language of the first of addresses that anybody has given with; English when nobody has.
func (m SignIns) languageFor(ctx context.Context, addresses []string) (phrase.Language, error) {
	for _, address := range addresses {
		donors, err := donor.ByEmails(ctx, m.DB, []string{address})
		if err != nil {
			return "", err
		}
		if len(donors) > 0 {
			return phrase.Language(donors[0].Language), nil
		}
	}
	return phrase.English, nil
}

func (m SignIns) writeAddressChange(step int64, moved donoraccess.AddressLinked, to string, from org.LegalEntity, lang phrase.Language) (Email, error) {
	l := Email{
		ID: uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "konbit address %d %s", step, to)), Kind: kindAddressLinked, List: signInList,
		Sender: from.Slug, From: from.MailFrom, To: to, Language: string(lang), Date: moved.At,
	}
	if moved.Unlinked {
		l.Kind = kindAddressUnlinked
	}
	var err error
	l.Subject, l.Text, l.HTML, err = m.View.AddressEmail(view.AddressEmailWords{
		Language: lang, Donee: view.Donee{Name: from.LegalName, EIN: from.EIN, Address: donation.Postal(from.Address)},
		Address: moved.Email, Removed: moved.Unlinked, On: moved.At.In(from.Location()),
	})
	return l, err
}
