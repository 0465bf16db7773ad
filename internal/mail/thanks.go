package mail

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/mail/paper"
	"konbit/internal/office/thanks"
	"konbit/internal/platform/jobs"
)

// kindThankYou is the kind of a letter of thanks. It belongs to the stream of receipts: it stands in place of one.
const kindThankYou = "thank_you"

// ThankYous sends the letters of thanks for gifts that have no receipt.
type ThankYous struct{ Mailer }

// Register registers the job that sends a letter of thanks.
func (t ThankYous) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job thanks.EmailJob) error { return t.Mail(ctx, job.LetterID) })
}

// Mail sends a letter, once. It sends nothing if the person was erased.
func (t ThankYous) Mail(ctx context.Context, letter uuid.UUID) error {
	return t.SendStored(ctx, kindThankYou, letter, func() (*Email, error) { return t.render(ctx, letter) })
}

func (t ThankYous) render(ctx context.Context, id uuid.UUID) (*Email, error) {
	letter, err := thanks.ByID(ctx, t.DB, id)
	if err != nil || letter.Person == nil {
		return nil, err
	}
	words, err := paper.ThankYouWords(letter)
	if err != nil {
		return nil, err
	}
	to, err := t.destination(ctx, letter.Person.Email)
	if err != nil {
		return nil, err
	}
	email := &Email{
		ID: letter.ID, EntityID: letter.EntityID, Kind: kindThankYou, List: receiptList, Sender: letter.Facts.EntitySlug, From: letter.Facts.MailFrom,
		To: to, ToName: letter.Person.Name, Language: letter.Language, Date: letter.IssuedAt,
		Recheck: func(ctx context.Context, tx *sqlx.Tx) error {
			there, err := thanks.LockTx(ctx, tx, letter.ID)
			if err == nil && !there {
				err = errMoved // the person is erased: rendered again, there is nothing to send
			}
			return err
		},
	}
	email.Subject, email.Text, email.HTML, err = t.View.ThankYouEmail(words)
	return email, err
}
