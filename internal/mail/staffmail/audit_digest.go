package staffmail

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/mail"
	"konbit/internal/people/audit"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// The kind of the emails to auditors, and their stream.
const (
	kindAuditDigest = "head"
	auditList       = "books"
)

// AuditDigestJob is the job that sends a recorded head to the auditors.
type AuditDigestJob struct {
	HeadID uuid.UUID `json:"head_id"`
}

// Kind returns the job's kind in river_job.
func (AuditDigestJob) Kind() string { return "ledger_head_letter" }

// Queue returns the queue in which the job waits.
func (AuditDigestJob) Queue() jobs.QueueName { return jobs.Bulk }

// AuditDigest records the head of each entity's hash chain of journal entries once a day, and sends it to the auditors.
// With a head they can prove later that the books before it were not changed. The email also has the head of the audit
// log, and what operators did.
type AuditDigest struct {
	mail.Mailer
	Queue *jobs.Queue
	To    []string // plain addresses; empty: heads are recorded and not sent
}

// Register registers the job that sends a head.
func (a AuditDigest) Register(handlers *jobs.Handlers) {
	jobs.Handle(handlers, func(ctx context.Context, job AuditDigestJob) error { return a.Mail(ctx, job.HeadID) })
}

// lostAfter is how long the email of a recorded head may wait to be written before its job is considered lost.
const lostAfter = time.Hour

// RecordHeads records the head of each entity's chain, unless the entity's day has one, and enqueues its email in the
// same transaction. It returns how many heads it recorded. If the day has a head whose email was not written within
// lostAfter, it enqueues the email again, also if another server recorded the head.
func (a AuditDigest) RecordHeads(ctx context.Context) (recorded int, err error) {
	entities, err := org.Entities(ctx, a.DB)
	if err != nil {
		return 0, err
	}
	for _, e := range entities {
		now := a.Now()
		err := pg.InTx(ctx, a.DB, func(tx *sqlx.Tx) error {
			day := ledger.DateOf(now, e.Location())
			head, err := ledger.RecordHeadTx(ctx, tx, e.ID, day, a.NewID, now)
			if err == nil && head != nil {
				recorded++
				err = audit.RecordHeadTx(ctx, tx, e.ID, day)
			}
			if err == nil && head == nil {
				head, err = a.lostHead(ctx, tx, e.ID, day, now)
			}
			if err != nil || head == nil || len(a.To) == 0 {
				return err
			}
			return a.Queue.EnqueueTx(ctx, tx, AuditDigestJob{head.ID})
		})
		if err != nil {
			return recorded, err
		}
	}
	return recorded, nil
}

// lostHead returns the head of a day if an auditor's email about it was not written in time; nil otherwise.
func (a AuditDigest) lostHead(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, day ledger.Date, now time.Time) (*ledger.RecordedHead, error) {
	head, err := ledger.HeadOfDay(ctx, tx, entity, day)
	if err != nil || head == nil || now.Sub(head.At).Abs() < lostAfter {
		return nil, err
	}
	for _, to := range a.To {
		written, err := mail.IsStored(ctx, tx, kindAuditDigest, digestID(head, to))
		if err != nil || !written {
			return head, err
		}
	}
	return nil, nil
}

// digestID identifies the one email about a head to an address.
func digestID(head *ledger.RecordedHead, to string) uuid.UUID {
	return uuid.NewSHA1(head.ID, []byte(strings.ToLower(to)))
}

// Mail sends a head to every auditor, in an email for each and once for each. An auditor's failure does not stop the
// others.
func (a AuditDigest) Mail(ctx context.Context, id uuid.UUID) error {
	head, err := ledger.HeadByID(ctx, a.DB, id)
	if err != nil {
		return err
	}
	var failed []error
	for _, to := range a.To {
		subject := digestID(head, to)
		failed = append(failed, a.SendStored(ctx, kindAuditDigest, subject, func() (*mail.Email, error) { return a.render(ctx, head, subject, to) }))
	}
	return errors.Join(failed...)
}

func (a AuditDigest) render(ctx context.Context, head *ledger.RecordedHead, subject uuid.UUID, to string) (*mail.Email, error) {
	register, err := org.ReadRegister(ctx, a.DB)
	if err != nil {
		return nil, err
	}
	e, err := org.EntityByID(ctx, a.DB, head.EntityID)
	if err != nil {
		return nil, err
	}
	language := languageOf(register, e.ID)
	email := &mail.Email{
		ID: subject, EntityID: e.ID, Kind: kindAuditDigest, List: auditList, Sender: e.Slug, From: e.MailFrom,
		To: to, Language: string(language), Date: head.At,
	}
	words := view.AuditDigestWords{
		Language: language, Donee: mail.DoneeOf(e),
		Day:     time.Date(head.Day.Year, head.Day.Month, head.Day.Day, 0, 0, 0, 0, time.UTC),
		Entries: head.N, Hash: head.Hex(), TrialBalance: e.Amount(head.TrialBalance),
		Command: fmt.Sprintf("konbit ledger verify --head %s:%d:%s", e.Slug, head.N, head.Hex()),
	}
	if err := a.addAudit(ctx, head, &words); err != nil {
		return nil, err
	}
	email.Subject, email.Text, email.HTML, err = a.View.AuditDigestEmail(words)
	return email, err
}

// addAudit adds what the email says about the audit log of the installation: its head on the head's day, and what operators
// did in the entity, or in the whole installation, since the head before. It adds nothing if nothing was sealed.
func (a AuditDigest) addAudit(ctx context.Context, of *ledger.RecordedHead, to *view.AuditDigestWords) error {
	head, previous, err := audit.HeadsOfDay(ctx, a.DB, of.EntityID, of.Day)
	if err != nil || head == nil {
		return err
	}
	to.AuditEntries, to.AuditCommand = head.N, "konbit staff verify --head "+head.String()
	acts, err := audit.OperatorActs(ctx, a.DB, of.EntityID, previous, head)
	for _, act := range acts {
		at := act.At.UTC().Format("2006-01-02 15:04 UTC")
		to.Operators = append(to.Operators, fmt.Sprintf("%s %s %s %s: %s", at, act.Act, act.ObjectKind, act.ObjectID, act.Reason))
	}
	return err
}

// languageOf returns the first language of the entity's first organisation; English if there is none.
func languageOf(register *org.Register, entity uuid.UUID) phrase.Language {
	for _, o := range register.Organisations() {
		if o.EntityID == entity && len(o.Languages) > 0 {
			return o.Languages[0]
		}
	}
	return phrase.English
}
