package staffmail

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/mail"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// staffList is the stream of emails to staff. Their kinds are in package staff.
const staffList = "staff"

// Staff sends emails to staff: links of invitations and resets, and news about accounts. They are not stored, because some
// contain a secret. A repeated job sends another link, and the one before becomes invalid.
type Staff struct {
	mail.Mailer
	Accounts staff.Service
	Catalog  *fund.CatalogCache
	Link     func(token string, lang phrase.Language) string // the page that takes the secret of a link
	Auditors []string                                        // plain addresses
}

// Register registers the job that sends these emails.
func (m Staff) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job staff.EmailJob) error { return m.Mail(ctx, job) })
}

// Mail sends one email. It sends nothing to a person who was disabled since, and no link that has ended.
func (m Staff) Mail(ctx context.Context, job staff.EmailJob) error {
	about, err := staff.ByID(ctx, m.DB, job.About)
	if err != nil {
		return err
	}
	from, err := m.sender(ctx, job)
	if err != nil {
		return err
	}
	if job.To == uuid.Nil {
		var errs []error
		for _, address := range m.Auditors {
			errs = append(errs, m.send(ctx, job, from, about, staff.Member{ID: about.ID, Email: address, Language: string(phrase.English)}))
		}
		return errors.Join(errs...)
	}
	to, err := staff.ByID(ctx, m.DB, job.To)
	if err != nil || to.DisabledAt != nil {
		return err
	}
	return m.send(ctx, job, from, about, to)
}

func (m Staff) send(ctx context.Context, job staff.EmailJob, from org.LegalEntity, about, to staff.Member) error {
	lang, key := view.StaffLanguage(phrase.Language(to.Language)), "office.email."+job.Email
	link := ""
	if job.InvitationID == uuid.Nil {
		key += "_told"
	} else {
		token, err := m.Accounts.IssueLink(ctx, job.InvitationID)
		if err != nil || token == "" {
			return err
		}
		link = m.Link(token, lang)
	}
	say := func(part string) string {
		return m.View.Phrase(lang, key+part, "donee", from.LegalName, "about", about.Name)
	}
	var button *view.EmailLink
	if link != "" {
		button = &view.EmailLink{Label: say(".button"), URL: link}
	}
	email := &mail.Email{
		ID: m.NewID(), EntityID: from.ID, Kind: job.Email, List: staffList, Sender: from.Slug, From: from.MailFrom, To: to.Email, ToName: to.Name,
		Subject: say(".subject"), Language: string(lang), Date: m.Now(),
	}
	var err error
	email.Text, email.HTML, err = m.View.PlainEmail(lang, mail.DoneeOf(from), email.Subject, []string{say(".text")}, []string{say(".last")}, button)
	if err != nil {
		return err
	}
	return m.SendUnstored(ctx, email, job.About)
}

// sender returns the legal entity in whose name to write: the first in which the person holds a role, or else the first of all.
func (m Staff) sender(ctx context.Context, job staff.EmailJob) (org.LegalEntity, error) {
	catalog, err := m.Catalog.Current(ctx)
	if err != nil {
		return org.LegalEntity{}, err
	}
	for _, person := range []uuid.UUID{job.About, job.To} {
		roles, err := staff.RolesOf(ctx, m.DB, person)
		if err != nil {
			return org.LegalEntity{}, err
		}
		if len(roles) > 0 {
			return catalog.EntityByID(roles[0].EntityID)
		}
	}
	if all := catalog.Entities(); len(all) > 0 {
		return all[0], nil
	}
	return org.LegalEntity{}, fault.New(fault.NotFound, "problem.404.text", nil)
}
