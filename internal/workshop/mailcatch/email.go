package mailcatch

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // emails in other character sets than UTF-8
	"github.com/emersion/go-message/mail"
)

// An Email is a message as its reader sees it.
type Email struct {
	Header      mail.Header
	Text        string // the text/plain part
	HTML        string // the text/html part
	Attachments []Attachment
}

// An Attachment is a part that the reader saves and does not read inline.
type Attachment struct {
	Name string
	Type string // media type without parameters
	Body []byte // decoded
}

// Email parses the message. It returns what it could read together with an error.
func (m Message) Email() (Email, error) {
	r, err := mail.CreateReader(bytes.NewReader(m.Raw))
	if r == nil {
		return Email{}, fmt.Errorf("mailcatch: message %s: %w", m.ID, err)
	}
	email := Email{Header: r.Header}
	for err == nil || message.IsUnknownCharset(err) {
		var part *mail.Part
		if part, err = r.NextPart(); part != nil {
			if addErr := email.add(part); addErr != nil {
				err = addErr
			}
		}
	}
	if !errors.Is(err, io.EOF) {
		return email, fmt.Errorf("mailcatch: message %s: %w", m.ID, err)
	}
	return email, nil
}

func (l *Email) add(part *mail.Part) error {
	body, err := io.ReadAll(part.Body)
	if err != nil {
		return err
	}
	switch h := part.Header.(type) {
	case *mail.AttachmentHeader:
		name, _ := h.Filename()
		kind, _, _ := h.ContentType()
		l.attach(name, kind, body)
	case *mail.InlineHeader:
		kind, params, _ := h.ContentType()
		switch {
		case kind == "text/plain" && l.Text == "":
			l.Text = string(body)
		case kind == "text/html" && l.HTML == "":
			l.HTML = string(body)
		default:
			l.attach(params["name"], kind, body)
		}
	}
	return nil
}

func (l *Email) attach(name, kind string, body []byte) {
	if name == "" {
		name = fmt.Sprintf("part-%d", len(l.Attachments)+1)
	}
	l.Attachments = append(l.Attachments, Attachment{Name: name, Type: kind, Body: body})
}
