package view

import "konbit/internal/platform/phrase"

// StaffEmailWords are the facts of an email to staff.
type StaffEmailWords struct {
	Kind     string // part of the phrases' keys
	Language phrase.Language
	Donee    Donee
	Name     string // of the reader; may be empty
	About    string // the person whom it is about
	Link     string // of an invitation or a reset; empty: none
}

// StaffEmail returns the email's subject, plain text and HTML, in the reader's language.
func (v *View) StaffEmail(w StaffEmailWords) (subject, text, html string, err error) {
	lang := StaffLanguage(w.Language)
	key := "office.email." + w.Kind
	if w.Link == "" {
		key += "_told"
	}
	say := func(part string) string { return v.Phrase(lang, key+"."+part, "donee", w.Donee.Name, "about", w.About) }
	d := plainEmailData{
		Language: lang, Donee: w.Donee, Accent: DefaultAccent, Subject: say("subject"), Paragraphs: []string{say("text")}, Last: []string{say("last")},
	}
	if w.Link != "" {
		d.Button = &EmailLink{say("button"), w.Link}
	}
	text, html, err = v.plainEmails[lang].execute(d)
	return d.Subject, text, html, err
}
