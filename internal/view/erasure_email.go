package view

import (
	"time"

	"konbit/internal/platform/phrase"
)

// ErasureEmailWords are the facts of the two emails about erasure: the one that confirms the request, and the one after
// it is done.
type ErasureEmailWords struct {
	Language phrase.Language
	Donee    Donee
	Accent   string    // empty: DefaultAccent
	Due      time.Time // when the erasure will be done, in the donee's time zone; zero: it is done
}

// ErasureEmail returns the email's subject, plain text and HTML. It contains no name. A language without words is
// replaced by English.
func (v *View) ErasureEmail(w ErasureEmailWords) (subject, text, html string, err error) {
	about, keys := "privacy.letter.done.subject", []string{"privacy.letter.done.text", "privacy.letter.kept", "privacy.letter.done.last"}
	if !w.Due.IsZero() {
		about, keys = "privacy.letter.asked.subject", []string{"privacy.letter.asked.text", "privacy.letter.kept", "privacy.letter.asked.not_you"}
	}
	return v.plainEmail(w.Language, w.Donee, w.Accent, about, keys,
		func(lang phrase.Language) []any { return []any{"due", phrase.Date(lang, w.Due)} })
}

// plainEmailData is what the template of plain emails reads.
type plainEmailData struct {
	Language        phrase.Language
	Donee           Donee
	Accent, Subject string
	Paragraphs      []string
	Button          *EmailLink // nil: none
	Last            []string   // paragraphs below the button
}

// PlainEmail returns an email of paragraphs with a button, which may be nil, as plain text and HTML.
func (v *View) PlainEmail(lang phrase.Language, donee Donee, subject string, paragraphs, last []string, button *EmailLink) (text, html string, err error) {
	return v.plainEmails[lang].execute(plainEmailData{lang, donee, DefaultAccent, subject, paragraphs, button, last})
}

// plainEmail returns an email of a few paragraphs from a legal entity. subjectKey and keys name its phrases; args
// returns their placeholders, except for the donee's name.
func (v *View) plainEmail(lang phrase.Language, donee Donee, accent, subjectKey string, keys []string,
	args func(phrase.Language) []any) (subject, text, html string, err error) {
	email, written := v.plainEmails[lang]
	if !written {
		lang, email = phrase.English, v.plainEmails[phrase.English]
	}
	if CheckAccent(accent) != nil {
		accent = DefaultAccent
	}
	with := append(args(lang), "donee", donee.Name)
	d := plainEmailData{Language: lang, Donee: donee, Accent: accent, Subject: v.Phrase(lang, subjectKey, with...)}
	for _, key := range keys {
		d.Paragraphs = append(d.Paragraphs, v.Phrase(lang, key, with...))
	}
	text, html, err = email.execute(d)
	return d.Subject, text, html, err
}
