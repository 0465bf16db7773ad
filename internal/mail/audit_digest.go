package mail

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
	"konbit/internal/giving/donation"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// The kind of letter that tells the head of a chain, and its stream.
const (
	kindAuditDigest = "head"
	auditList       = "books"
)

// HeadLetter is the job of mailing a kept head to the auditors.
type AuditDigestJob struct {
	HeadID uuid.UUID `json:"head_id"`
}

// Kind names the job.
func (AuditDigestJob) Kind() string { return "ledger_head_letter" }

// Heads keeps the heads of the books' chains, one per entity and day, and mails them to the auditors.
type AuditDigest struct {
	Mailer
	Queue *jobs.Queue
	To    []string // plain addresses; none: heads are kept and not mailed
}

// Register takes the job of mailing a head.
func (h AuditDigest) Register(handlers *jobs.Handlers) {
	jobs.Handle(handlers, func(ctx context.Context, job AuditDigestJob) error { return h.Mail(ctx, job.HeadID) })
}

// Keep keeps the head of each entity's chain, unless its day has one already, and orders its letter in the same transaction.
func (h AuditDigest) RecordHeads(ctx context.Context) (kept int, err error) {
	r := h
	entities, err := org.Entities(ctx, r.DB)
	if err != nil {
		return 0, err
	}
	for _, e := range entities {
		now := r.Now()
		err := pg.InTx(ctx, r.DB, func(tx *sqlx.Tx) error {
			head, err := ledger.RecordHeadTx(ctx, tx, e.ID, ledger.DateOf(now, e.Location()), r.NewID, now)
			if err != nil || head == nil {
				return err
			}
			kept++
			if len(h.To) == 0 {
				return nil
			}
			return h.Queue.EnqueueTx(ctx, tx, AuditDigestJob{head.ID})
		})
		if err != nil {
			return kept, err
		}
	}
	return kept, nil
}

// Mail sends a head to every auditor, under the rules of receipts' letters: to each in a letter of its own, and to none
// twice, whoever was reached before.
func (h AuditDigest) Mail(ctx context.Context, id uuid.UUID) error {
	head, err := ledger.HeadByID(ctx, h.DB, id)
	if err != nil {
		return err
	}
	var failed []error
	for _, to := range h.To {
		failed = append(failed, h.mailTo(ctx, head, to))
	}
	return errors.Join(failed...)
}

func (h AuditDigest) mailTo(ctx context.Context, head *ledger.RecordedHead, to string) error {
	r := h
	subject := uuid.NewSHA1(head.ID, []byte(strings.ToLower(to))) // one letter for a head and an address
	l, err := findStored(ctx, r.DB, kindAuditDigest, subject)
	if err == nil && l == nil {
		l, err = h.rendered(ctx, head, subject, to)
	}
	if err != nil {
		return err
	}
	return r.deliverFirst(ctx, *l)
}

func (h AuditDigest) rendered(ctx context.Context, head *ledger.RecordedHead, subject uuid.UUID, to string) (*storedEmail, error) {
	register, err := org.ReadRegister(ctx, h.DB)
	if err != nil {
		return nil, err
	}
	e, err := org.EntityByID(ctx, h.DB, head.EntityID)
	if err != nil {
		return nil, err
	}
	language := languageOf(register, e.ID)
	l := Email{
		ID: subject, Kind: kindAuditDigest, List: auditList, Sender: e.Slug, From: e.MailFrom, To: to, Language: string(language), Date: head.At,
	}
	l.Subject, l.Text, l.HTML, err = h.View.AuditDigestEmail(view.AuditDigestWords{
		Language: language, Donee: view.Donee{Name: e.LegalName, EIN: e.EIN, Address: donation.Postal(e.Address)},
		Day:     time.Date(head.Day.Year, head.Day.Month, head.Day.Day, 0, 0, 0, 0, time.UTC),
		Entries: head.N, Hash: head.Hex(), TrialBalance: e.Amount(head.TrialBalance),
		Command: fmt.Sprintf("konbit ledger verify --head %s:%d:%s", e.Slug, head.N, head.Hex()),
	})
	if err != nil {
		return nil, err
	}
	return h.composeAndStore(ctx, l, e.ID)
}

// languageOf is the first language of the entity's first organisation, or English.
func languageOf(register *org.Register, entity uuid.UUID) phrase.Language {
	for _, o := range register.Organisations() {
		if o.EntityID == entity && len(o.Languages) > 0 {
			return o.Languages[0]
		}
	}
	return phrase.English
}
