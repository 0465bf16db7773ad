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
	Link     string
	Until    time.Time // the link works until this day, in the donee's time zone
}

// MoveEmail returns the email's subject, plain text and HTML. A language without words is replaced by English.
func (v *View) MoveEmail(w MoveEmailWords) (subject, text, html string, err error) {
	if _, written := v.plainEmails[w.Language]; !written {
		w.Language = phrase.English
	}
	say := func(key string) string {
		return v.Phrase(w.Language, "address.move.letter."+key, "donee", w.Donee.Name, "date", phrase.Date(w.Language, w.Until))
	}
	last := []string{say("until"), say("not_you")}
	text, html, err = v.PlainEmail(w.Language, w.Donee, say("subject"), []string{say("text")}, last, &EmailLink{say("button"), w.Link})
	return say("subject"), text, html, err
}
