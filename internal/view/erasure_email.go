package view

import (
	"bytes"
	"fmt"
	"time"

	"konbit/internal/platform/phrase"
)

// PrivacyWords are what the two letters about being forgotten say: before, and after.
type ErasureEmailWords struct {
	Language phrase.Language
	Donee    Donee
	Accent   string    // empty: the house's
	Due      time.Time // when it is done, in the donee's time zone; zero: it was done
}

// PrivacyLetter is a letter about being forgotten. It names nobody. A language whose words are not written is answered in English.
func (v *View) ErasureEmail(w ErasureEmailWords) (subject, text, html string, err error) {
	about, keys := "privacy.letter.done.subject", []string{"privacy.letter.done.text", "privacy.letter.kept", "privacy.letter.done.last"}
	if !w.Due.IsZero() {
		about, keys = "privacy.letter.asked.subject", []string{"privacy.letter.asked.text", "privacy.letter.kept", "privacy.letter.asked.not_you"}
	}
	return v.plainEmail(w.Language, w.Donee, w.Accent, about, keys,
		func(lang phrase.Language) []any { return []any{"due", phrase.Date(lang, w.Due)} })
}

// plainLetter says a few paragraphs in a legal entity's name. args are the words' own, beside the donee's name.
func (v *View) plainEmail(lang phrase.Language, donee Donee, accent, about string, keys []string, args func(phrase.Language) []any) (subject, text, html string, err error) {
	letter, written := v.plainEmails[lang]
	if !written {
		lang, letter = phrase.English, v.plainEmails[phrase.English]
	}
	if CheckAccent(accent) != nil {
		accent = DefaultAccent
	}
	with := append(args(lang), "donee", donee.Name)
	d := struct {
		Language        phrase.Language
		Donee           Donee
		Accent, Subject string
		Paragraphs      []string
	}{Language: lang, Donee: donee, Accent: accent, Subject: v.Phrase(lang, about, with...)}
	for _, key := range keys {
		d.Paragraphs = append(d.Paragraphs, v.Phrase(lang, key, with...))
	}
	var plain, rich bytes.Buffer
	if err := letter.text.ExecuteTemplate(&plain, "letter.txt", d); err != nil {
		return "", "", "", fmt.Errorf("view: %w", err)
	}
	if err := letter.html.ExecuteTemplate(&rich, "letter.html", d); err != nil {
		return "", "", "", fmt.Errorf("view: %w", err)
	}
	return d.Subject, plain.String(), rich.String(), nil
}
