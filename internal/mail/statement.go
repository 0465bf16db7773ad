package mail

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donor"
	"konbit/internal/mail/paper"
	"konbit/internal/office/statement"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

// The kinds of emails with annual statements, and their stream.
const (
	kindStatement          = "statement"
	kindStatementCorrected = "statement_corrected"
	statementList          = "statements"
)

// Statements sends annual statements.
type Statements struct {
	Mailer
}

// Register registers the job that sends a statement.
func (m Statements) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job statement.EmailJob) error { return m.Mail(ctx, job.StatementID) })
}

// Mail sends the email with a statement, once. It sends nothing if the donor was erased, or if a newer statement of the
// year was issued, because that one contains everything.
func (m Statements) Mail(ctx context.Context, id uuid.UUID) error {
	s, err := statement.ByID(ctx, m.DB, id)
	if err != nil || s.Person == nil {
		return err
	}
	kind := kindStatement
	if s.N > 1 {
		kind = kindStatementCorrected
	}
	if s.Superseded {
		return m.refuseSuperseded(ctx, kind, s.ID)
	}
	return m.sendStored(ctx, kind, s.ID, func() (*Email, error) { return m.render(s, kind) })
}

// refuseSuperseded ends the first delivery of a statement's email, unless a server accepted it. It does nothing if the
// email was not stored.
func (m Statements) refuseSuperseded(ctx context.Context, kind string, statementID uuid.UUID) error {
	stored, err := findStored(ctx, m.DB, kind, statementID)
	if stored == nil || err != nil {
		return err
	}
	d, err := firstDelivery(ctx, m.DB, stored.ID)
	if err != nil || d.Done {
		return err
	}
	return pg.InTx(ctx, m.DB, func(tx *sqlx.Tx) error {
		return recordRefusedTx(ctx, tx, d.ID, "not sent: a newer statement was issued", m.Now())
	})
}

func (m Statements) render(s statement.Statement, kind string) (*Email, error) {
	words, err := paper.StatementWords(s)
	if err != nil {
		return nil, err
	}
	email := &Email{
		ID: s.ID, EntityID: s.EntityID, Kind: kind, List: statementList, Sender: s.Facts.EntitySlug, From: s.Facts.MailFrom,
		To: s.Person.Email, ToName: words.Donor, Language: s.Language, Date: s.IssuedAt,
		Choice: m.newChoice(s.DonorID, donor.KindStatements, words.Language),
	}
	words.StopURL = email.Choice.StopURL
	if email.Subject, email.Text, email.HTML, err = m.View.StatementEmail(words); err != nil {
		return nil, err
	}
	pdf, err := m.View.StatementPDF(words)
	email.Document = &Document{paper.StatementFile(s), pdf}
	return email, err
}
