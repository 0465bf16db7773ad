package view

import (
	"time"

	"konbit/internal/platform/phrase"
)

// AddressEmailWords are the facts of the email about an address that was linked to a donor's other addresses, or
// removed.
type AddressEmailWords struct {
	Language phrase.Language
	Donee    Donee
	Accent   string // empty: DefaultAccent
	Address  string // the address that was linked or removed
	Removed  bool   // it was removed; else linked
	On       time.Time
}

// AddressEmail returns the email's subject, plain text and HTML. A language without words is replaced by English.
func (v *View) AddressEmail(w AddressEmailWords) (subject, text, html string, err error) {
	did := "joined"
	if w.Removed {
		did = "parted"
	}
	return v.plainEmail(w.Language, w.Donee, w.Accent, "address.letter."+did+".subject", []string{"address.letter." + did + ".text", "address.letter.not_you"},
		func(lang phrase.Language) []any { return []any{"address", w.Address, "date", phrase.Date(lang, w.On)} })
}
