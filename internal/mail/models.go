package mail

import (
	"context"
	"fmt"

	"konbit/internal/mail/paper"
)

// invented says how the model of an email is made: the same email to an invented donor, so it names nobody. What is
// personal is in the difference to it, which an erasure removes.
type invented struct {
	key    string // emails with the same key have the same model
	render func() (*Email, error)
}

// newInvented returns how the model of an email is made. key tells what its text and its document depend on.
func newInvented(of Email, kind, key, file string, document func() ([]byte, error), words func() (subject, text, html string, err error)) *invented {
	return &invented{fmt.Sprintf("%s %q %q %s", kind, of.From, of.Sender, key), func() (e *Email, err error) {
		e = &Email{
			EntityID: of.EntityID, Kind: kind, List: of.List, Sender: of.Sender, From: of.From, To: "maria@example.org", ToName: paper.InventedName,
			Language: of.Language, Date: paper.InventedDay,
		}
		if e.Subject, e.Text, e.HTML, err = words(); err != nil {
			return nil, err
		}
		pdf, err := document()
		e.Document = &Document{file, pdf}
		return e, err
	}}
}

// setMessage stores a message in e: as its difference to the email's model or, without one, whole.
func (m Mailer) setMessage(ctx context.Context, e *storedEmail, message []byte, made *invented) error {
	e.Message = message
	if m.Models == nil || made == nil {
		return nil
	}
	model, err := m.Models.Of(ctx, made.key, func() ([]byte, error) {
		email, err := made.render()
		if err != nil {
			return nil, err
		}
		return composeUnaddressed(*email)
	})
	if err == nil {
		e.ModelID, e.Difference = &model.ID, model.Model.Of(message)
	}
	return err
}

// message returns the message of a stored email; empty if it was erased.
func (m Mailer) message(ctx context.Context, e storedEmail) ([]byte, error) {
	if len(e.Message) > 0 || e.ModelID == nil || len(e.Difference) == 0 {
		return e.Message, nil
	}
	model, err := m.Models.ByID(ctx, *e.ModelID)
	if err != nil {
		return nil, err
	}
	return model.Message(e.Difference)
}
