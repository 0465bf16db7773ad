package mail

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/receipt"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// The kinds of letters about receipts. They are one stream to their readers.
const (
	kindReceipt  = "receipt"
	kindReplaced = "receipt_replaced" // a receipt that replaces another
	kindVoided   = "receipt_voided"
	receiptList  = "receipts"
)

// Receipts mails receipts, and what becomes of them.
type Receipts struct {
	Mailer
	Plans PlanLinks // of the emails of recurring gifts
}

// Register takes the jobs of mailing about receipts.
func (r Receipts) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job receipt.EmailJob) error { return r.Mail(ctx, job.ReceiptID) })
	jobs.Handle(h, func(ctx context.Context, job receipt.VoidEmailJob) error { return r.MailVoid(ctx, job.ReceiptID) })
	jobs.Handle(h, func(ctx context.Context, job DeliveryJob) error { return r.redeliver(ctx, job.DeliveryID) })
}

// Mail sends the receipt's letter, rendering it if it never was, unless a server accepted it already. A
// refusal that will not pass is noted on the letter and not tried again. A receipt that no longer stands is
// not sent any more.
func (r Receipts) Mail(ctx context.Context, receiptID uuid.UUID) error {
	issued, err := receipt.ByID(ctx, r.DB, receiptID)
	if err != nil {
		return err
	}
	if !issued.IsValid() {
		return r.callOff(ctx, issued) // what took its place, or the letter that says it is void, goes alone
	}
	return r.mail(ctx, issued, kindOf(issued))
}

// callOff ends the wait of the letter that says the receipt is good, if it was kept already.
func (r Receipts) callOff(ctx context.Context, issued receipt.Receipt) error {
	l, err := findStored(ctx, r.DB, kindOf(issued), issued.ID)
	if l == nil || err != nil {
		return err
	}
	return pg.InTx(ctx, r.DB, func(tx *sqlx.Tx) error { return callOffTx(ctx, tx, l.ID, r.Now()) })
}

// MailVoid sends the letter that says a receipt no longer stands, under the same rules.
func (r Receipts) MailVoid(ctx context.Context, receiptID uuid.UUID) error {
	issued, err := receipt.ByID(ctx, r.DB, receiptID)
	if err != nil {
		return err
	}
	return r.mail(ctx, issued, kindVoided)
}

func (r Receipts) mail(ctx context.Context, issued receipt.Receipt, kind string) error {
	if issued.Facts.Email == "" {
		return nil // its donor was forgotten
	}
	l, err := r.storedOrRendered(ctx, issued, kind)
	if err != nil {
		return err
	}
	return r.deliverFirst(ctx, *l)
}

// again hands a kept letter over once more, unless the receipt it says is good no longer stands by now.
func (r Receipts) redeliver(ctx context.Context, id uuid.UUID) error {
	l, d, err := deliveryByID(ctx, r.DB, id)
	if err != nil {
		return err
	}
	if l.Kind == kindReceipt || l.Kind == kindReplaced {
		issued, err := receipt.ByID(ctx, r.DB, l.SubjectID)
		if err != nil {
			return err
		}
		if !issued.IsValid() {
			return r.callOff(ctx, issued)
		}
	}
	return r.deliver(ctx, l, d)
}

func kindOf(issued receipt.Receipt) string {
	if issued.Replaces != nil {
		return kindReplaced
	}
	return kindReceipt
}

// rendered is the letter, made from the receipt's frozen facts if it never was. If another worker was
// quicker, that worker's bytes count.
func (r Receipts) storedOrRendered(ctx context.Context, issued receipt.Receipt, kind string) (*storedEmail, error) {
	if l, err := findStored(ctx, r.DB, kind, issued.ID); l != nil || err != nil {
		return l, err
	}
	to, err := r.addressOf(ctx, issued)
	if err != nil {
		return nil, err
	}
	written, err := r.writeWhenIdle(ctx, issued, kind, to)
	if err != nil {
		return nil, err
	}
	return r.composeAndStore(ctx, written, issued.EntityID)
}

func (r Receipts) writeWhenIdle(ctx context.Context, issued receipt.Receipt, kind, to string) (Email, error) {
	if r.Yield != nil {
		defer r.Yield(ctx)()
	}
	return r.write(issued, kind, to, r.Now())
}

// write words the letter. Receipts are documents and go with it; that one is void needs none.
func (r Receipts) write(issued receipt.Receipt, kind, to string, now time.Time) (Email, error) {
	words, err := ReceiptWords(issued)
	if err != nil {
		return Email{}, err
	}
	f := issued.Facts
	if words.Instalment != nil && r.Plans != nil {
		words.Instalment.ManageURL = r.Plans.Manage(f.Instalment.PlanRef, words.Language)
	}
	l := Email{
		ID: issued.ID, Kind: kind, List: receiptList, Sender: f.EntitySlug, From: f.MailFrom,
		To: to, ToName: f.FirstName + " " + f.LastName, Language: issued.Language, Date: issued.IssuedAt,
	}
	if kind == kindVoided {
		if words.Voided == nil {
			return Email{}, fmt.Errorf("receipt %s is not void", issued.ID)
		}
		l.Date = now
		l.Subject, l.Text, l.HTML, err = r.View.ReceiptVoidEmail(words)
		return l, err
	}
	if l.Subject, l.Text, l.HTML, err = r.View.ReceiptEmail(words); err != nil {
		return Email{}, err
	}
	pdf, err := r.View.ReceiptPDF(words)
	l.Document = &Document{issued.Reference() + ".pdf", pdf}
	return l, err
}

// addressOf is where letters about a receipt go: the address on it, or the one it was corrected to, on this
// receipt or on those it replaces as long as they had the same.
func (r Receipts) addressOf(ctx context.Context, issued receipt.Receipt) (string, error) {
	for {
		to, err := correctedAddress(ctx, r.DB, issued.ID)
		if to != "" || err != nil {
			return to, err
		}
		if issued.Replaces == nil {
			return issued.Facts.Email, nil
		}
		before, err := receipt.ByID(ctx, r.DB, *issued.Replaces)
		if err != nil {
			return "", err
		}
		if before.Facts.Email != issued.Facts.Email {
			return issued.Facts.Email, nil
		}
		issued = before
	}
}

// Words tells the view a receipt's facts.
func ReceiptWords(issued receipt.Receipt) (view.ReceiptWords, error) {
	f := issued.Facts
	days := dates{of: issued.ID}
	w := view.ReceiptWords{
		Version: issued.WordsVersion, Language: phrase.Language(issued.Language), Number: issued.Reference(),
		Donee:        view.Donee{Name: f.LegalName, EIN: f.EIN, Address: f.Address},
		Organisation: f.Organisation, Sponsored: f.Sponsored, Accent: f.Accent,
		Donor: f.FirstName + " " + f.LastName, Greeting: f.FirstName, Amount: f.Amount, Charged: days.read(f.ChargedOn),
	}
	for _, line := range f.Lines {
		w.Purposes = append(w.Purposes, view.Purpose{Fund: line.Fund, Purpose: line.Purpose, Amount: line.Amount})
	}
	w.Covered = f.Covered
	w.Instalment = instalmentWords(f.Instalment, &days)
	if f.Dedicated != nil {
		w.Dedication, w.Dedicatee = f.Dedicated.Kind, f.Dedicated.Name
	}
	if f.Returned != nil {
		w.Returned = &view.Returned{Charged: f.Returned.Charged, Amount: f.Returned.Amount, On: days.read(f.Returned.On)}
	}
	if f.Replaces != nil {
		w.Replaces = &view.Revised{Number: f.Replaces.Number, Reason: string(f.Replaces.Reason), On: days.read(f.Replaces.On)}
	}
	if issued.Voided != nil {
		w.Voided = &view.Revised{Number: issued.Reference(), Reason: string(issued.Voided.Reason), On: days.read(issued.Voided.On)}
	}
	return w, days.err
}

// instalmentOf is the place of a gift in its plan; nil for one given once.
func instalmentWords(in *receipt.Instalment, days *dates) *view.Instalment {
	if in == nil {
		return nil
	}
	w := &view.Instalment{N: in.N, Of: in.Of, Every: in.Frequency, Each: in.Each, Sum: in.Sum}
	if in.LastOn != "" {
		w.Last = days.read(in.LastOn)
	}
	if in.NextOn != "" {
		w.Next = days.read(in.NextOn)
	}
	return w
}

// dates reads the days of a receipt and keeps the first mistake.
type dates struct {
	of  uuid.UUID
	err error
}

func (d *dates) read(text string) time.Time {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("receipt %s: %w", d.of, err)
	}
	return day
}
