package mail

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donor"
	"konbit/internal/giving/receipt"
	"konbit/internal/office/statement"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// The kinds of letters that bring annual statements, and their stream.
const (
	kindStatement          = "statement"
	kindStatementCorrected = "statement_corrected"
	statementList          = "statements"
)

// Statements mails annual statements.
type Statements struct {
	Mailer
}

// Register takes the job of mailing a statement.
func (m Statements) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job statement.EmailJob) error { return m.Mail(ctx, job.StatementID) })
}

// Mail sends the statement's letter, once, under the rules of receipts' letters. One whose donor was forgotten is not sent, nor one
// that a newer statement overtook on its way: that one's letter says all of it.
func (m Statements) Mail(ctx context.Context, id uuid.UUID) error {
	s, err := statement.ByID(ctx, m.DB, id)
	if err != nil || s.Person == nil {
		return err
	}
	kind := kindStatement
	if s.N > 1 {
		kind = kindStatementCorrected
	}
	l, err := findStored(ctx, m.DB, kind, s.ID)
	if err == nil && s.Superseded {
		return m.refuseSuperseded(ctx, l)
	}
	if err == nil && l == nil {
		l, err = m.rendered(ctx, s, kind)
	}
	if err != nil {
		return err
	}
	return m.deliverFirst(ctx, *l)
}

// drop ends the first delivery of a letter that no server accepted yet; nil: it was never written.
func (m Statements) refuseSuperseded(ctx context.Context, l *storedEmail) error {
	if l == nil {
		return nil
	}
	d, err := firstDelivery(ctx, m.DB, l.ID)
	if err != nil || d.Done {
		return err
	}
	return pg.InTx(ctx, m.DB, func(tx *sqlx.Tx) error {
		return recordRefusedTx(ctx, tx, d.ID, "not sent: a newer statement was issued", m.Now())
	})
}

func (m Statements) rendered(ctx context.Context, s statement.Statement, kind string) (*storedEmail, error) {
	words, err := StatementWords(s)
	if err != nil {
		return nil, err
	}
	l := Email{
		ID: s.ID, Kind: kind, List: statementList, Sender: s.Facts.EntitySlug, From: s.Facts.MailFrom,
		To: s.Person.Email, ToName: words.Donor, Language: s.Language, Date: s.IssuedAt,
		Choice: m.newChoice(s.DonorID, donor.KindStatements, words.Language),
	}
	words.StopURL = l.Choice.StopURL
	if l.Subject, l.Text, l.HTML, err = m.View.StatementEmail(words); err != nil {
		return nil, err
	}
	pdf, err := m.View.StatementPDF(words)
	if err != nil {
		return nil, err
	}
	l.Document = &Document{StatementFile(s), pdf}
	return m.composeAndStore(ctx, l, s.EntityID)
}

// StatementFile is what a statement's document is saved as: "TSNE-2026-statement.pdf".
func StatementFile(s statement.Statement) string {
	return fmt.Sprintf("%s-%d-statement.pdf", strings.ToUpper(s.Facts.EntitySlug), s.Year)
}

// StatementWords tells the view a statement's facts; also the donor's page uses it.
func StatementWords(s statement.Statement) (view.StatementWords, error) {
	f, days := s.Facts, dates{of: s.ID}
	zone, err := time.LoadLocation(f.Timezone)
	if err != nil {
		return view.StatementWords{}, fmt.Errorf("statement %s: %w", s.ID, err)
	}
	w := view.StatementWords{
		Version: s.WordsVersion, Language: phrase.Language(s.Language), Year: s.Year,
		Donee: view.Donee{Name: f.LegalName, EIN: f.EIN, Address: f.Address}, Given: f.Given, Returned: f.Returned, Total: f.Total,
		Sponsored: f.Sponsored, Issued: s.IssuedAt.In(zone), Provisional: s.N == 0,
	}
	if !s.PreviousIssuedAt.IsZero() {
		w.Corrects = s.PreviousIssuedAt.In(zone)
	}
	if p := s.Person; p != nil {
		w.Donor, w.Greeting, w.DonorAddress = p.FirstName+" "+p.LastName, p.FirstName, p.Address
	}
	for _, g := range f.Gifts {
		told := view.StatementGift{
			Charged: days.read(g.ChargedOn), Receipt: g.Receipt, Organisation: g.Organisation, Amount: g.Amount, N: g.N, Of: g.Of,
		}
		for _, part := range g.Funds {
			told.Funds = append(told.Funds, view.Purpose{Fund: part.Fund, Amount: part.Amount})
		}
		for _, back := range g.Returned {
			told.Returned = append(told.Returned, view.StatementReturn{On: days.read(back.On), Amount: back.Amount, Dispute: back.Reason == receipt.Dispute})
		}
		w.Gifts = append(w.Gifts, told)
	}
	return w, days.err
}
