package mail

import (
	"cmp"
	"context"
	"fmt"
	"reflect"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donor"
	"konbit/internal/mail/paper"
	"konbit/internal/office/statement"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
	"konbit/internal/view"
)

// The kinds of emails with annual statements or gifts so far, and their stream.
const (
	kindStatementSoFar     = "statement_so_far"
	kindStatement          = "statement"
	kindStatementCorrected = "statement_corrected"
	statementList          = "statements"
)

// Statements sends annual statements, and gifts so far.
type Statements struct {
	Mailer
	Issuer statement.Issuer // for gifts so far
}

// Register registers the jobs that send a statement or the gifts so far.
func (m Statements) Register(h *jobs.Handlers) {
	jobs.Handle(h, m.MailSoFar)
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
	return m.SendStored(ctx, kind, s.ID, func() (*Email, error) {
		s, err := statement.ByID(ctx, m.DB, id)
		if err != nil || s.Person == nil || s.Superseded {
			return nil, err
		}
		if s.Person.Email, err = m.destination(ctx, s.Person.Email); err != nil {
			return nil, err
		}
		email, err := m.render(ctx, s, kind)
		if err == nil {
			email.Recheck = func(ctx context.Context, tx *sqlx.Tx) error { return checkStatementTx(ctx, tx, s) }
		}
		return email, err
	})
}

// checkStatementTx reports errMoved if a statement has lost its person since it was read, because a gift in it moved to
// another donor, or if a newer one was issued. It locks the donor's gifts against a move until the transaction ends.
func checkStatementTx(ctx context.Context, tx *sqlx.Tx, s statement.Statement) error {
	if err := donor.LockTx(ctx, tx, []uuid.UUID{s.DonorID}); err != nil {
		return err
	}
	now, err := statement.ByID(ctx, tx, s.ID)
	if err == nil && (now.Person == nil || now.Superseded) {
		err = errMoved
	}
	return err
}

// MailSoFar sends an email with a donor's gifts so far in a year. It is not stored: it is no annual statement, and the
// gifts may change. It sends nothing if the donor was erased, stopped emails with statements, or has the annual statement.
func (m Statements) MailSoFar(ctx context.Context, job statement.SoFarJob) error {
	s, err := m.Issuer.SoFar(ctx, job)
	if err != nil || s == nil {
		return err
	}
	wanted, err := donor.EmailPreferences(ctx, m.DB, s.DonorID)
	if err != nil || !wanted[donor.KindStatements] {
		return err
	}
	if s.Person.Email, err = m.destination(ctx, s.Person.Email); err != nil {
		return err
	}
	s.ID = uuid.NewSHA1(s.DonorID, fmt.Append(nil, s.Year, s.IssuedAt.Unix()))
	email, err := m.render(ctx, *s, kindStatementSoFar)
	if err != nil {
		return err
	}
	// A gift may have moved to another donor while the document was rendered. The job is tried again.
	if now, err := m.Issuer.SoFar(ctx, job); err != nil || now == nil || !reflect.DeepEqual(now.Facts, s.Facts) {
		return cmp.Or(err, errMoved)
	}
	return m.SendUnstored(ctx, email, s.DonorID)
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

func (m Statements) render(ctx context.Context, s statement.Statement, kind string) (*Email, error) {
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
	if err != nil {
		return nil, m.held(ctx, s.EntityID, err)
	}
	email.Document = &Document{paper.StatementFile(s), pdf}
	email.Model = m.statementModel(*email, words)
	return email, nil
}

// statementModel returns how the model of a statement is made.
func (m Statements) statementModel(of Email, words view.StatementWords) *invented {
	w := paper.InventedStatement(words)
	return newInvented(of, kindStatement, fmt.Sprint(w), "statement.pdf", func() ([]byte, error) { return m.View.StatementPDF(w) },
		func() (subject, text, html string, err error) { return m.View.StatementEmail(w) })
}
