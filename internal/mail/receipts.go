package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/jobs"
	"konbit/internal/phrase"
	"konbit/internal/receipt"
	"konbit/internal/view"
)

// kindReceipt names receipts among the letters.
const kindReceipt = "receipt"

// Receipts mails receipts.
type Receipts struct {
	DB        *sqlx.DB
	View      *view.View
	Transport *Transport
	NewID     func() uuid.UUID
	Now       func() time.Time
	Log       *slog.Logger
}

// Register takes the job of mailing a receipt.
func (r Receipts) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job receipt.Letter) error { return r.Mail(ctx, job.ReceiptID) })
}

// Mail sends the receipt's letter, rendering it if it never was, unless a server accepted it already. A
// refusal that will not pass is noted on the letter and not tried again.
func (r Receipts) Mail(ctx context.Context, receiptID uuid.UUID) error {
	l, err := find(ctx, r.DB, kindReceipt, receiptID)
	if err != nil {
		return err
	}
	if l == nil {
		if l, err = r.render(ctx, receiptID); err != nil {
			return err
		}
	}
	if l.AcceptedAt != nil || l.RefusedAt != nil {
		return nil
	}
	return r.send(ctx, l)
}

func (r Receipts) send(ctx context.Context, l *stored) error {
	reply, err := r.Transport.Send(ctx, l.Sender, l.Recipient, l.Message)
	var refusal *Refusal
	switch {
	case err == nil:
		return noteAccepted(ctx, r.DB, l.ID, reply, r.Now())
	case errors.As(err, &refusal) && refusal.Permanent():
		r.Log.WarnContext(ctx, "letter refused for good", "letter", l.ID, "code", refusal.Code)
		return noteRefused(ctx, r.DB, l.ID, refusal.Error(), r.Now())
	default:
		if noteErr := noteTry(ctx, r.DB, l.ID, err.Error()); noteErr != nil {
			return errors.Join(err, noteErr)
		}
		return err
	}
}

// render makes the letter from the receipt's frozen facts and keeps its bytes. If another worker was
// quicker, that worker's bytes count.
func (r Receipts) render(ctx context.Context, receiptID uuid.UUID) (*stored, error) {
	issued, err := receipt.ByID(ctx, r.DB, receiptID)
	if err != nil {
		return nil, err
	}
	words, err := words(issued)
	if err != nil {
		return nil, err
	}
	subject, text, html, err := r.View.ReceiptLetter(words)
	if err != nil {
		return nil, err
	}
	pdf, err := r.View.ReceiptPDF(words)
	if err != nil {
		return nil, err
	}
	f := issued.Facts
	letter := Letter{
		ID: issued.ID, Kind: kindReceipt, Sender: f.EntitySlug, From: f.MailFrom, To: f.Email, ToName: f.FirstName + " " + f.LastName,
		Subject: subject, Text: text, HTML: html, Document: &Document{issued.Reference() + ".pdf", pdf},
		Language: issued.Language, Date: issued.IssuedAt,
	}
	message, err := Compose(letter)
	if err != nil {
		return nil, err
	}
	id, err := letter.MessageID()
	if err != nil {
		return nil, err
	}
	return keep(ctx, r.DB, stored{
		ID: r.NewID(), EntityID: issued.EntityID, Kind: kindReceipt, SubjectID: issued.ID, Sender: f.MailFrom,
		Recipient: f.Email, MessageID: id, Message: message, RenderedAt: r.Now(),
	})
}

// words tells the view a receipt's facts.
func words(issued receipt.Receipt) (view.ReceiptWords, error) {
	f := issued.Facts
	charged, err := time.Parse(time.DateOnly, f.ChargedOn)
	if err != nil {
		return view.ReceiptWords{}, fmt.Errorf("receipt %s: %w", issued.ID, err)
	}
	w := view.ReceiptWords{
		Version: issued.WordsVersion, Language: phrase.Language(issued.Language), Number: issued.Reference(),
		Donee:        view.Donee{Name: f.LegalName, EIN: f.EIN, Address: f.Address},
		Organisation: f.Organisation, Sponsored: f.Sponsored, Accent: f.Accent,
		Donor: f.FirstName + " " + f.LastName, Greeting: f.FirstName, Amount: f.Amount, Charged: charged,
	}
	for _, line := range f.Lines {
		w.Purposes = append(w.Purposes, view.Purpose{Fund: line.Fund, Purpose: line.Purpose, Amount: line.Amount})
	}
	return w, nil
}
