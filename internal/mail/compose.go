package mail

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	gomail "github.com/wneessen/go-mail"
)

// Letter is a letter to one person.
type Letter struct {
	ID       uuid.UUID // names it for ever: the Message-ID is made of it
	Kind     string    // what sort of letter: stands in the Message-ID
	List     string    // the stream of letters it belongs to, for the List-Id
	Sender   string    // the entity's slug, for the List-Id
	From     string    // RFC 5322 mailbox with or without name
	To       string    // plain address
	ToName   string
	Subject  string
	Text     string
	HTML     string
	Document *Document
	Language string
	Date     time.Time
}

// Document goes with a letter as an attachment.
type Document struct {
	Name string // file name
	PDF  []byte
}

func (l Letter) dated() time.Time { return l.Date }

// MessageID is the letter's, stable for ever, without the angle brackets: <kind>.<id>@<domain of From>.
func (l Letter) MessageID() (string, error) {
	domain, err := DomainOf(l.From)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s.%s@%s", l.Kind, l.ID, domain), nil
}

// Compose makes the message: plain text, HTML beside it, and the document. Names and subject are encoded by
// the library, which refuses line breaks in addresses. It is signed with key, if there is one.
func Compose(l Letter, key *DKIM) ([]byte, error) {
	id, err := l.MessageID()
	if err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(id, "@")
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := m.From(l.From); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	if err := CheckAddress(l.To); err != nil {
		return nil, fmt.Errorf("recipient of letter %s: %w", l.ID, err)
	}
	// In an encoded name a backslash still quotes for some readers, who then find no address (RFC 2047, 5 (3)).
	if err := m.AddToFormat(strings.ReplaceAll(l.ToName, `\`, ""), l.To); err != nil {
		return nil, fmt.Errorf("recipient of letter %s: not an address", l.ID)
	}
	m.Subject(l.Subject)
	m.SetDateWithValue(l.Date)
	m.SetMessageIDWithValue(id)
	// RFC 2919: names the stream of letters, so that readers can file it; RFC 3834: no auto-replies, please.
	m.SetGenHeader("List-Id", fmt.Sprintf("<%s.%s.%s>", l.List, l.Sender, domain))
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader("Content-Language", l.Language)
	m.SetBodyString(gomail.TypeTextPlain, l.Text)
	m.AddAlternativeString(gomail.TypeTextHTML, l.HTML)
	if l.Document != nil {
		err := m.AttachReader(l.Document.Name, bytes.NewReader(l.Document.PDF), gomail.WithFileContentType("application/pdf"))
		if err != nil {
			return nil, err
		}
	}
	if key != nil {
		key.sign(m, l)
	}
	var message bytes.Buffer
	if _, err := m.WriteTo(&message); err != nil {
		return nil, fmt.Errorf("compose letter %s: %w", l.ID, err)
	}
	return message.Bytes(), nil
}
