package mail

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"konbit/internal/books/org"
	"konbit/internal/giving/donor"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// The kinds of emails about an address that was linked to others, unlinked or chosen. They belong to the stream of
// sign-in emails.
const (
	kindAddressLinked   = "address_joined"
	kindAddressUnlinked = "address_parted"
	kindAddressChosen   = "address_chosen" // it gets the emails from now on, or not any more
)

// MailAddressChange writes to every address concerned that an address was linked to others, unlinked from them or
// chosen (OWASP ASVS 5.0.0 V6.3.7). The emails are not stored. Each has its own Message-ID, and a repeat has the same
// one.
func (m SignIns) MailAddressChange(ctx context.Context, step int64) error {
	change, err := m.Access.ReadAddressLinked(ctx, step)
	if err != nil || change == nil {
		return err
	}
	var failed []error
	for _, to := range change.Recipients {
		failed = append(failed, m.mailAddressChangeTo(ctx, step, *change, to))
	}
	return errors.Join(failed...)
}

func (m SignIns) mailAddressChangeTo(ctx context.Context, step int64, change donoraccess.AddressLinked, to string) error {
	from, known, err := m.sender(ctx, to)
	if err != nil || !known {
		return err
	}
	lang, err := m.languageFor(ctx, append([]string{to}, change.Recipients...))
	if err != nil {
		return err
	}
	email, err := m.renderAddressChange(step, change, to, from, lang)
	if err != nil {
		return err
	}
	return m.SendUnstored(ctx, email, step)
}

// languageFor returns the language of the first of the addresses that belongs to a donor; English if none does.
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

func (m SignIns) renderAddressChange(step int64, change donoraccess.AddressLinked, to string, from org.LegalEntity, lang phrase.Language) (*Email, error) {
	email := &Email{
		ID: uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "konbit address %d %s", step, to)), Kind: kindAddressLinked, List: signInList,
		EntityID: from.ID, Sender: from.Slug, From: from.MailFrom, To: to, Language: string(lang), Date: change.At,
	}
	switch change.Kind {
	case "parted":
		email.Kind = kindAddressUnlinked
	case "chosen", "unchosen":
		email.Kind = kindAddressChosen
	}
	var err error
	email.Subject, email.Text, email.HTML, err = m.View.AddressEmail(view.AddressEmailWords{
		Language: lang, Donee: DoneeOf(from), Address: change.Email, Change: change.Kind, On: change.At.In(from.Location()),
	})
	return email, err
}
