package view

import (
	"time"

	"konbit/internal/platform/phrase"
)

// MoveEmailWords are the facts of the email with the link that proves the new address of a donor who lost a mailbox. It
// names nobody, because the address is not proved yet.
type MoveEmailWords struct {
	Language phrase.Language
	Donee    Donee
	Accent   string // empty: DefaultAccent
	Link     string
	Until    time.Time // the link works until this day, in the donee's time zone
}

// MoveEmail returns the email's subject, plain text and HTML. A language without words is replaced by English.
func (v *View) MoveEmail(w MoveEmailWords) (subject, text, html string, err error) {
	email, written := v.plainEmails[w.Language]
	if !written {
		w.Language, email = phrase.English, v.plainEmails[phrase.English]
	}
	if CheckAccent(w.Accent) != nil {
		w.Accent = DefaultAccent
	}
	say := func(key string) string {
		return v.Phrase(w.Language, "address.move.letter."+key, "donee", w.Donee.Name, "date", phrase.Date(w.Language, w.Until))
	}
	d := plainEmailData{
		Language: w.Language, Donee: w.Donee, Accent: w.Accent, Subject: say("subject"), Paragraphs: []string{say("text")},
		Button: &EmailLink{say("button"), w.Link}, Last: []string{say("until"), say("not_you")},
	}
	text, html, err = email.execute(d)
	return d.Subject, text, html, err
}
