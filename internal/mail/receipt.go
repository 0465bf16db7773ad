package mail

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/receipt"
	"konbit/internal/mail/paper"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
	"konbit/internal/view"
)

// The kinds of emails about receipts, and their stream.
const (
	kindReceipt  = "receipt"
	kindReplaced = "receipt_replaced" // a receipt that replaces another
	kindVoided   = "receipt_voided"
	receiptList  = "receipts"
)

// Receipts sends receipts, and the emails that say that a receipt is void.
type Receipts struct {
	Mailer
	Plans PlanLinks // nil: receipts contain no link to the donor's plan
}

// Register registers the jobs about receipts, and the job of any repeated delivery.
func (r Receipts) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job receipt.EmailJob) error { return r.Mail(ctx, job.ReceiptID) })
	jobs.Handle(h, func(ctx context.Context, job receipt.VoidEmailJob) error { return r.MailVoid(ctx, job.ReceiptID) })
	jobs.Handle(h, func(ctx context.Context, job DeliveryJob) error { return r.redeliver(ctx, job.DeliveryID) })
}

// Mail sends the email with a receipt, once. If the receipt is void or was replaced, it cancels the email instead.
func (r Receipts) Mail(ctx context.Context, receiptID uuid.UUID) error {
	issued, err := receipt.ByID(ctx, r.DB, receiptID)
	if err != nil {
		return err
	}
	if !issued.IsValid() {
		return r.callOff(ctx, issued) // the replacement, or the email that says it is void, is sent by its own job
	}
	return r.mail(ctx, issued, kindOf(issued))
}

// MailVoid sends the email that says that a receipt is no longer valid, once.
func (r Receipts) MailVoid(ctx context.Context, receiptID uuid.UUID) error {
	issued, err := receipt.ByID(ctx, r.DB, receiptID)
	if err != nil {
		return err
	}
	return r.mail(ctx, issued, kindVoided)
}

func (r Receipts) mail(ctx context.Context, issued receipt.Receipt, kind string) error {
	return r.SendStored(ctx, kind, issued.ID, r.renderer(ctx, issued, kind))
}

// callOff ends the waiting deliveries of the email with a receipt that is no longer valid. It does nothing if that
// email was not stored.
func (r Receipts) callOff(ctx context.Context, issued receipt.Receipt) error {
	stored, err := findStored(ctx, r.DB, kindOf(issued), issued.ID)
	if stored == nil || err != nil {
		return err
	}
	return pg.InTx(ctx, r.DB, func(tx *sqlx.Tx) error { return callOffTx(ctx, tx, stored.ID, r.Now()) })
}

// redeliver sends a stored email by a repeated delivery, unless it contains a receipt that is no longer valid.
func (r Receipts) redeliver(ctx context.Context, deliveryID uuid.UUID) error {
	stored, d, err := deliveryByID(ctx, r.DB, deliveryID)
	if err != nil {
		return err
	}
	if stored.Kind == kindReceipt || stored.Kind == kindReplaced {
		issued, err := receipt.ByID(ctx, r.DB, stored.SubjectID)
		if err != nil {
			return err
		}
		if !issued.IsValid() {
			return r.callOff(ctx, issued)
		}
	}
	return r.deliver(ctx, stored, d)
}

// kindOf returns the kind of the email that contains a receipt.
func kindOf(issued receipt.Receipt) string {
	if issued.Replaces != nil {
		return kindReplaced
	}
	return kindReceipt
}

// renderer renders an email about a receipt from the receipt's frozen facts, when no more urgent work runs.
func (r Receipts) renderer(ctx context.Context, issued receipt.Receipt, kind string) renderer {
	return func() (*Email, error) {
		to, err := addresseeOf(ctx, r.DB, issued.DonationID)
		if err != nil || to == nil {
			return nil, err
		}
		if r.Yield != nil {
			defer r.Yield(ctx)()
		}
		return r.render(ctx, issued, kind, to.Email, r.Now())
	}
}

// render renders an email about a receipt. A receipt is attached as a document; the email that says it is void has
// none.
func (r Receipts) render(ctx context.Context, issued receipt.Receipt, kind, to string, now time.Time) (*Email, error) {
	words, err := paper.ReceiptWords(issued)
	if err != nil {
		return nil, err
	}
	f := issued.Facts
	if in := words.Instalment; in != nil && !in.IsLast() && r.Plans != nil && kind != kindVoided {
		link, err := r.Plans.Of(ctx, f.Instalment.PlanRef, words.Language)
		if err != nil {
			return nil, err
		}
		words.Instalment.ManageURL, words.Instalment.ManageCode = link.ManageURL, link.Code
	}
	email := &Email{
		ID: issued.ID, EntityID: issued.EntityID, Kind: kind, List: receiptList, Sender: f.EntitySlug, From: f.MailFrom,
		To: to, ToName: paper.DonorName(f), Language: issued.Language, Date: issued.IssuedAt, Gift: issued.DonationID,
	}
	email.Model = r.receiptModel(*email, words)
	if kind == kindVoided {
		if words.Voided == nil {
			return nil, fmt.Errorf("receipt %s is not void", issued.ID)
		}
		email.Date = now
		email.Subject, email.Text, email.HTML, err = r.View.ReceiptVoidEmail(words)
		return email, err
	}
	if email.Subject, email.Text, email.HTML, err = r.View.ReceiptEmail(words); err != nil {
		return nil, err
	}
	pdf, err := r.View.ReceiptPDF(words)
	if err != nil {
		return nil, r.held(ctx, issued.EntityID, err)
	}
	email.Document = &Document{issued.Reference() + ".pdf", pdf}
	return email, nil
}

// receiptModel returns how the model of an email about a receipt is made.
func (r Receipts) receiptModel(of Email, words view.ReceiptWords) *invented {
	w, key := paper.InventedReceipt(words)
	return newInvented(of, kindReceipt, key, w.Number+".pdf", func() ([]byte, error) { return r.View.ReceiptPDF(w) },
		func() (subject, text, html string, err error) { return r.View.ReceiptEmail(w) })
}
