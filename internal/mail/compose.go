package mail

import (
	"bytes"
	"fmt"
	"net/mail"
	"strings"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"konbit/internal/mail/transport"
	"konbit/internal/platform/email"
)

// oneLine returns text without line breaks and other control characters.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}

// Compose returns the message, addressed and signed with key; nil: it is not signed.
func Compose(e Email, key *transport.DKIM) ([]byte, error) {
	message, err := composeUnaddressed(e)
	if err != nil {
		return nil, err
	}
	return transport.Address(message, e.To, key)
}

// composeUnaddressed returns the message as it is stored, without the recipient's address and unsigned: plain text, HTML
// as its alternative, and the attachment. The library encodes names and the subject.
func composeUnaddressed(e Email) ([]byte, error) {
	m, err := composeHeader(e)
	if err != nil {
		return nil, err
	}
	m.SetBodyString(gomail.TypeTextPlain, e.Text)
	m.AddAlternativeString(gomail.TypeTextHTML, e.HTML)
	if e.Document != nil {
		err := m.AttachReader(e.Document.Name, bytes.NewReader(e.Document.PDF), gomail.WithFileContentType("application/pdf"))
		if err != nil {
			return nil, err
		}
	}
	var message bytes.Buffer
	message.Grow(len(e.Text) + len(e.HTML) + len(e.HTML)/4 + 2<<10)
	if _, err := m.WriteTo(&message); err != nil {
		return nil, fmt.Errorf("compose email %s: %w", e.ID, err)
	}
	return message.Bytes(), nil
}

func composeHeader(e Email) (*gomail.Msg, error) {
	id, err := e.MessageID()
	if err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(id, "@")
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := m.From(e.From); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	if err := email.CheckPlain(e.To); err != nil {
		return nil, fmt.Errorf("recipient of email %s: %w", e.ID, err)
	}
	// AddToFormat rejects a name that contains quotation marks. The backslash is removed because many mail programs
	// cannot parse the field if an encoded name contains one.
	name := oneLine(strings.ReplaceAll(e.ToName, `\`, ""))
	m.SetAddrHeaderFromMailAddress(gomail.HeaderTo, &mail.Address{Name: name, Address: transport.Unaddressed})
	m.Subject(oneLine(e.Subject))
	m.SetDateWithValue(e.Date)
	m.SetMessageIDWithValue(id)
	// RFC 2919: List-Id names the stream of emails, so that mail programs can sort it. RFC 3834: Auto-Submitted asks
	// for no automatic replies.
	m.SetGenHeader("List-Id", fmt.Sprintf("<%s.%s.%s>", e.List, e.Sender, domain))
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	for _, field := range e.unsubscribeFields() {
		m.SetGenHeader(gomail.Header(field[0]), field[1])
	}
	m.SetGenHeader("Content-Language", e.Language)
	return m, nil
}
