package view

import (
	"bytes"
	"fmt"
	"time"

	"konbit/internal/phrase"
)

// PrivacyWords are what the two letters about being forgotten say: before, and after.
type PrivacyWords struct {
	Language phrase.Language
	Donee    Donee
	Accent   string    // empty: the house's
	Due      time.Time // when it is done, in the donee's time zone; zero: it was done
}

// PrivacyLetter is a letter about being forgotten. It names nobody. A language whose words are not written is answered in English.
func (v *View) PrivacyLetter(w PrivacyWords) (subject, text, html string, err error) {
	letter, written := v.privacy[w.Language]
	if !written {
		w.Language, letter = phrase.English, v.privacy[phrase.English]
	}
	if CheckAccent(w.Accent) != nil {
		w.Accent = HouseAccent
	}
	keys := []string{"privacy.letter.done.text", "privacy.letter.kept", "privacy.letter.done.last"}
	subject = v.say(w.Language, "privacy.letter.done.subject", "donee", w.Donee.Name)
	if !w.Due.IsZero() {
		keys = []string{"privacy.letter.asked.text", "privacy.letter.kept", "privacy.letter.asked.not_you"}
		subject = v.say(w.Language, "privacy.letter.asked.subject", "donee", w.Donee.Name)
	}
	d := struct {
		PrivacyWords
		Subject    string
		Paragraphs []string
	}{PrivacyWords: w, Subject: subject}
	for _, key := range keys {
		d.Paragraphs = append(d.Paragraphs, v.say(w.Language, key, "donee", w.Donee.Name, "due", phrase.Date(w.Language, w.Due)))
	}
	var plain, rich bytes.Buffer
	if err := letter.text.ExecuteTemplate(&plain, "letter.txt", d); err != nil {
		return "", "", "", fmt.Errorf("view: %w", err)
	}
	if err := letter.html.ExecuteTemplate(&rich, "letter.html", d); err != nil {
		return "", "", "", fmt.Errorf("view: %w", err)
	}
	return subject, plain.String(), rich.String(), nil
}
