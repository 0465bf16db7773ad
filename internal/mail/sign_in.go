package mail

import (
	"context"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/donor"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// The kind of a sign-in email, and its stream.
const (
	kindSignIn = "sign_in"
	signInList = "sign-in"
)

// SignIns sends the emails that prove that an address belongs to a person. They are not stored, because they contain
// secrets. A repeated job sends a new secret in a new email, and the one before becomes invalid.
type SignIns struct {
	Mailer
	Access  donoraccess.Service
	Catalog *fund.CatalogCache
	Link    func(token string, lang phrase.Language) string // the page with the sign-in button, on our own host
	Expired func()                                          // is called for each sign-in that expired before its email was sent; may be nil
}

// Register registers the jobs that send sign-in emails and emails about changed addresses.
func (m SignIns) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job donoraccess.SignInEmailJob) error { return m.Mail(ctx, job) })
	jobs.Handle(h, func(ctx context.Context, job donoraccess.AddressEmailJob) error {
		return m.MailAddressChange(ctx, job.ChangeID)
	})
}

// Mail sends a sign-in email if the sign-in is still valid and the address belongs to a donor. The person who asked for
// it cannot see whether it was sent, so the page does not reveal who has donated. A signed-in person may link any
// address: then the email is always sent. It reports a sign-in that expired before its email was sent: the person gets
// no email.
func (m SignIns) Mail(ctx context.Context, job donoraccess.SignInEmailJob) error {
	signIn := job.SignInID
	proof, err := m.Access.IssueCredentials(ctx, signIn)
	if err == nil && proof == nil {
		return m.reportExpired(ctx, signIn)
	}
	if err != nil {
		return err
	}
	from, known, err := m.sender(ctx, proof.Email)
	if err == nil && !known && proof.Links {
		from, known, err = m.senderOf(ctx, proof.PersonID)
	}
	if err != nil || !known {
		return err
	}
	email, err := m.render(*proof, from, job.ForPlan)
	if err != nil {
		return err
	}
	return m.SendUnstored(ctx, email, signIn)
}

// reportExpired counts and logs a sign-in that has expired. It does nothing if another one was used since.
func (m SignIns) reportExpired(ctx context.Context, signIn uuid.UUID) error {
	expired, err := m.Access.IsExpired(ctx, signIn)
	if err != nil || !expired {
		return err
	}
	if m.Expired != nil {
		m.Expired()
	}
	m.Log.WarnContext(ctx, "a sign-in expired before its email was sent: is the mail server slow?", "sign-in", signIn)
	return nil
}

// sender returns the legal entity in whose name to write to an address: the one that received its last donation. It
// returns false if the address belongs to no donor.
func (m SignIns) sender(ctx context.Context, address string) (org.LegalEntity, bool, error) {
	catalog, err := m.Catalog.Current(ctx)
	if err != nil {
		return org.LegalEntity{}, false, err
	}
	donors, err := donor.ByEmails(ctx, m.DB, []string{address})
	if err != nil {
		return org.LegalEntity{}, false, err
	}
	if len(donors) > 0 {
		e, err := catalog.EntityByID(donors[0].EntityID)
		return e, true, err
	}
	proved, err := m.Access.IsProven(ctx, address) // an address linked to others gives access to their donations
	if entities := catalog.Entities(); err == nil && proved && len(entities) > 0 {
		return entities[0], true, nil
	}
	return org.LegalEntity{}, false, err
}

// senderOf returns the legal entity in whose name to write to a person, by the first of the person's addresses that has
// one.
func (m SignIns) senderOf(ctx context.Context, person uuid.UUID) (from org.LegalEntity, known bool, err error) {
	mailboxes, err := m.Access.Mailboxes(ctx, person)
	for _, box := range mailboxes {
		if from, known, err = m.sender(ctx, box.Email); known || err != nil {
			return from, known, err
		}
	}
	return from, false, err
}

func (m SignIns) render(proof donoraccess.Credentials, from org.LegalEntity, forPlan bool) (*Email, error) {
	lang := phrase.Language(proof.Language)
	words := view.SignInEmailWords{Language: lang, Donee: DoneeOf(from), Code: proof.Code}
	if words.Purpose = "_join"; !proof.Links {
		words.Purpose, words.Link = "", m.Link(proof.Token, lang)
		if forPlan {
			words.Purpose = "_plan"
		}
	}
	email := &Email{
		ID: m.NewID(), EntityID: from.ID, Kind: kindSignIn, List: signInList, Sender: from.Slug, From: from.MailFrom, To: proof.Email,
		Language: proof.Language, Date: m.Now(),
	}
	var err error
	email.Subject, email.Text, email.HTML, err = m.View.SignInEmail(words)
	return email, err
}
