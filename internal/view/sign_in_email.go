package view

import (
	"bytes"
	"fmt"

	"konbit/internal/platform/phrase"
)

// SignInWords are what the letter says that proves an address. It carries no other link and nothing that tells when it is read.
type SignInEmailWords struct {
	Language phrase.Language
	Donee    Donee
	Accent   string // #rrggbb; empty: the house's

	Link string // to press in the browser that asked; empty: by the code alone, to add the address to others
	Code string // eight digits
}

// Digits are the code as people read it out.
func (w SignInEmailWords) Digits() string { return w.Code[:4] + " " + w.Code[4:] }

// SignInLetter is the letter that proves an address: its subject, which never holds the code, its plain text and the same as
// HTML. A language whose words are not written is answered in English.
func (v *View) SignInEmail(w SignInEmailWords) (subject, text, html string, err error) {
	letter, written := v.signInEmails[w.Language]
	if !written {
		w.Language, letter = phrase.English, v.signInEmails[phrase.English]
	}
	if CheckAccent(w.Accent) != nil {
		w.Accent = DefaultAccent
	}
	subject = v.Phrase(w.Language, "sign_in.letter.subject")
	if w.Link == "" {
		subject = v.Phrase(w.Language, "sign_in.letter.subject_join")
	}
	data := struct {
		SignInEmailWords
		Subject string
	}{w, subject}
	var plain, rich bytes.Buffer
	if err := letter.text.ExecuteTemplate(&plain, "letter.txt", data); err != nil {
		return "", "", "", fmt.Errorf("view: %w", err)
	}
	if err := letter.html.ExecuteTemplate(&rich, "letter.html", data); err != nil {
		return "", "", "", fmt.Errorf("view: %w", err)
	}
	return subject, plain.String(), rich.String(), nil
}
