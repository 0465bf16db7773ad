package view

import (
	"time"

	"konbit/internal/platform/phrase"
)

// AddressWords are what the letter says that tells of an address joined to others, or taken away from them.
type AddressEmailWords struct {
	Language phrase.Language
	Donee    Donee
	Accent   string // empty: the house's
	Address  string // of which it tells
	Removed  bool   // it was taken away; else joined
	On       time.Time
}

// AddressLetter is that letter. A language whose words are not written is answered in English.
func (v *View) AddressEmail(w AddressEmailWords) (subject, text, html string, err error) {
	did := "joined"
	if w.Removed {
		did = "parted"
	}
	return v.plainEmail(w.Language, w.Donee, w.Accent, "address.letter."+did+".subject", []string{"address.letter." + did + ".text", "address.letter.not_you"},
		func(lang phrase.Language) []any { return []any{"address", w.Address, "date", phrase.Date(lang, w.On)} })
}
