package view

import (
	"time"

	"konbit/internal/platform/phrase"
)

// AddressEmailWords are the facts of the email about an address that was linked to a donor's other addresses, removed,
// or chosen for emails.
type AddressEmailWords struct {
	Language phrase.Language
	Donee    Donee
	Accent   string // empty: DefaultAccent
	Address  string // the address that was linked, removed or chosen
	Change   string // joined, moved, parted, chosen or unchosen: part of the phrase keys
	On       time.Time
}

// AddressEmail returns the email's subject, plain text and HTML. A language without words is replaced by English.
func (v *View) AddressEmail(w AddressEmailWords) (subject, text, html string, err error) {
	key := "address.letter." + w.Change
	return v.plainEmail(w.Language, w.Donee, w.Accent, key+".subject", []string{key + ".text", "address.letter.not_you"},
		func(lang phrase.Language) []any { return []any{"address", w.Address, "date", phrase.Date(lang, w.On)} })
}
