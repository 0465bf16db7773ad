package mail

import (
	"bytes"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	gomail "github.com/wneessen/go-mail"
)

// Letter is a letter to one person.
type Email struct {
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
	Choice   *Choice // nil: it is nobody's to stop, such as a receipt
}

// Document goes with a letter as an attachment.
type Document struct {
	Name string // file name
	PDF  []byte
}

func (l Email) sentAt() time.Time { return l.Date }

// MessageID is the letter's, stable for ever, without the angle brackets: <kind>.<id>@<domain of From>.
func (l Email) MessageID() (string, error) {
	domain, err := DomainOf(l.From)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s.%s@%s", l.Kind, l.ID, domain), nil
}

// stopping are the fields by which a reader's mail provider stops letters of this kind with one press (RFC 8058, which wants https).
func (l Email) unsubscribeFields() (fields [][2]string) {
	if l.Choice == nil || l.Choice.StopURL == "" {
		return nil
	}
	fields = append(fields, [2]string{"List-Unsubscribe", "<" + l.Choice.StopURL + ">"})
	if strings.HasPrefix(l.Choice.StopURL, "https:") {
		fields = append(fields, [2]string{"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"})
	}
	return fields
}

// oneLine is text without line breaks and what else steers terminals and mail servers.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}

// Compose makes the message: plain text, HTML beside it, and the document. Names and subject are encoded by
// the library, which refuses line breaks in addresses. It is signed with key, if there is one.
func Compose(l Email, key *DKIM) ([]byte, error) {
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
	// Not AddToFormat, which takes a name with quotes in it for no address at all. A backslash is left out: many
	// readers cannot parse the field when an encoded name has one.
	name := oneLine(strings.ReplaceAll(l.ToName, `\`, ""))
	m.SetAddrHeaderFromMailAddress(gomail.HeaderTo, &mail.Address{Name: name, Address: l.To})
	m.Subject(oneLine(l.Subject))
	m.SetDateWithValue(l.Date)
	m.SetMessageIDWithValue(id)
	// RFC 2919: names the stream of letters, so that readers can file it; RFC 3834: no auto-replies, please.
	m.SetGenHeader("List-Id", fmt.Sprintf("<%s.%s.%s>", l.List, l.Sender, domain))
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	for _, field := range l.unsubscribeFields() {
		m.SetGenHeader(gomail.Header(field[0]), field[1])
	}
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
	message.Grow(len(l.Text) + len(l.HTML) + len(l.HTML)/4 + 2<<10)
	if _, err := m.WriteTo(&message); err != nil {
		return nil, fmt.Errorf("compose letter %s: %w", l.ID, err)
	}
	return message.Bytes(), nil
}
