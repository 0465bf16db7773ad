package view

import (
	"konbit/internal/platform/phrase"
)

// SignInEmailWords are the facts of the email that proves an address. The email has no other link and nothing that
// reports when it is opened.
type SignInEmailWords struct {
	Language phrase.Language
	Donee    Donee
	Accent   string // #rrggbb; empty: DefaultAccent

	Link string // valid in the browser that requested the email; empty: only the code, to link the address to others
	Code string // eight digits
	// Purpose is what the keys of its phrases end with: "" to sign in, "_join" to link the address, "_plan" for a recurring gift.
	Purpose string
}

// Digits returns the code in two groups of four digits.
func (w SignInEmailWords) Digits() string { return w.Code[:4] + " " + w.Code[4:] }

// SignInEmail returns the email's subject, plain text and HTML. The subject never contains the code, because locked
// phones show subjects. A language without words is replaced by English.
func (v *View) SignInEmail(w SignInEmailWords) (subject, text, html string, err error) {
	email, written := v.signInEmails[w.Language]
	if !written {
		w.Language, email = phrase.English, v.signInEmails[phrase.English]
	}
	if CheckAccent(w.Accent) != nil {
		w.Accent = DefaultAccent
	}
	subject = v.Phrase(w.Language, "sign_in.letter.subject"+w.Purpose)
	data := struct {
		SignInEmailWords
		Subject string
	}{w, subject}
	text, html, err = email.execute(data)
	return subject, text, html, err
}
