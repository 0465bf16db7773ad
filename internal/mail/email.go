package mail

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/mail/transport"
	"konbit/internal/platform/email"
)

// Email is an email to one recipient, before it is composed.
type Email struct {
	ID       uuid.UUID // of its subject (the receipt, the event, …); part of the Message-ID
	EntityID uuid.UUID // the sender's legal entity
	Kind     string    // part of the Message-ID; see README.md
	List     string    // the stream it belongs to; part of the List-Id
	Sender   string    // the entity's slug; part of the List-Id
	From     string    // RFC 5322 mailbox, with or without a name
	To       string    // plain address; empty: there is no recipient
	ToName   string
	Subject  string
	Text     string
	HTML     string
	Document *Document
	Language string
	Date     time.Time
	Choice   *Choice   // nil: the donor cannot stop this kind of email
	Model    *invented // what the stored email is compared with; nil: it is stored whole

	// Gift is the donation whose addressee To is. The email is not stored and not sent if the donation has moved to another
	// donor since To was read. uuid.Nil: To does not depend on a donation.
	Gift uuid.UUID
	// Recheck reports errMoved if what the email says must not go to To any more. It is called in the transaction that
	// stores the email, and locks what may change. nil: Gift says it all.
	Recheck func(ctx context.Context, tx *sqlx.Tx) error
}

// recheckTx reports errMoved if the email must not go to its recipient any more, and keeps it so until the transaction
// ends.
func (e *Email) recheckTx(ctx context.Context, tx *sqlx.Tx) error {
	if e.Recheck != nil {
		return e.Recheck(ctx, tx)
	}
	return checkAddresseeTx(ctx, tx, e.Gift, e.To)
}

// ErrNoRecipient: there is no address to send to, because the donor gave none or was erased.
var ErrNoRecipient = transport.ErrNoRecipient

// Document is an attachment.
type Document struct {
	Name string // file name
	PDF  []byte
}

// isSendable reports whether there is an email and a recipient. A renderer returns nil if there is nothing to send; To
// is empty if the donor gave no address or was erased.
func (e *Email) isSendable() bool { return e != nil && e.To != "" }

// MessageID returns <kind>.<id>@<domain of From>, without angle brackets. It never changes.
func (e Email) MessageID() (string, error) {
	domain, err := email.DomainOf(e.From)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s.%s@%s", e.Kind, e.ID, domain), nil
}

// unsubscribeFields returns the header fields by which a mail provider offers to stop this kind of email. RFC 8058
// allows the one-click field only with an https address.
func (e Email) unsubscribeFields() (fields [][2]string) {
	if e.Choice == nil || e.Choice.StopURL == "" {
		return nil
	}
	fields = append(fields, [2]string{"List-Unsubscribe", "<" + e.Choice.StopURL + ">"})
	if strings.HasPrefix(e.Choice.StopURL, "https:") {
		fields = append(fields, [2]string{"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"})
	}
	return fields
}
