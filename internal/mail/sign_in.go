package mail

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// The kind of letter that lets somebody in, and its stream.
const (
	kindSignIn = "sign_in"
	signInList = "sign-in"
)

// SignIns mails the letters that prove addresses. Unlike every other letter they are not kept: their bytes hold secrets. A
// letter that has to be sent once more is another one, and the one before is void.
type SignIns struct {
	Mailer
	Access  donoraccess.Service
	Catalog *fund.CatalogCache
	Link    func(token string, lang phrase.Language) string // to the page with the button, on our own host
}

// Register takes the job of mailing them.
func (m SignIns) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job donoraccess.SignInEmailJob) error { return m.Mail(ctx, job.SignInID) })
	jobs.Handle(h, func(ctx context.Context, job donoraccess.AddressEmailJob) error {
		return m.MailAddressChange(ctx, job.Step)
	})
}

// Mail writes the letter and hands it over, if it is still of use and anybody has given with the address. Whoever asked
// learns neither.
func (m SignIns) Mail(ctx context.Context, signIn uuid.UUID) error {
	proof, err := m.Access.IssueCredentials(ctx, signIn)
	if err != nil || proof == nil {
		return err
	}
	from, known, err := m.sender(ctx, proof.Email)
	if err != nil || !known {
		return err
	}
	written, err := m.write(*proof, from)
	if err != nil {
		return err
	}
	message, err := Compose(written, KeyFor(m.DKIM, written.From))
	if err != nil {
		return err
	}
	_, err = m.Transport.Send(ctx, written.From, written.To, message)
	var refusal *Refusal
	if errors.As(err, &refusal) && refusal.Permanent() {
		m.Log.WarnContext(ctx, "sign-in letter refused for good", "sign-in", signIn, "code", refusal.Code)
		return nil
	}
	return err
}

// sender is the legal entity that writes to an address: the one given to last. false: nobody has given with it.
func (m SignIns) sender(ctx context.Context, email string) (org.LegalEntity, bool, error) {
	catalog, err := m.Catalog.Current(ctx)
	if err != nil {
		return org.LegalEntity{}, false, err
	}
	donors, err := donor.ByEmails(ctx, m.DB, []string{email})
	if err != nil {
		return org.LegalEntity{}, false, err
	}
	if len(donors) > 0 {
		e, err := catalog.EntityByID(donors[0].EntityID)
		return e, true, err
	}
	proved, err := m.Access.IsProven(ctx, email) // one joined to others opens their gifts
	if entities := catalog.Entities(); err == nil && proved && len(entities) > 0 {
		return entities[0], true, nil
	}
	return org.LegalEntity{}, false, err
}

func (m SignIns) write(proof donoraccess.Credentials, from org.LegalEntity) (Email, error) {
	lang := phrase.Language(proof.Language)
	words := view.SignInEmailWords{
		Language: lang, Donee: view.Donee{Name: from.LegalName, EIN: from.EIN, Address: donation.Postal(from.Address)}, Code: proof.Code,
	}
	if !proof.Links {
		words.Link = m.Link(proof.Token, lang)
	}
	l := Email{
		ID: m.NewID(), Kind: kindSignIn, List: signInList, Sender: from.Slug, From: from.MailFrom, To: proof.Email,
		Language: proof.Language, Date: m.Now(),
	}
	var err error
	l.Subject, l.Text, l.HTML, err = m.View.SignInEmail(words)
	return l, err
}
