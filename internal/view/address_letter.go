package view

import (
	"time"

	"konbit/internal/platform/phrase"
)

// AddressWords are what the letter says that tells of an address joined to others, or taken away from them.
type AddressWords struct {
	Language phrase.Language
	Donee    Donee
	Accent   string // empty: the house's
	Address  string // of which it tells
	Parted   bool   // it was taken away; else joined
	On       time.Time
}

// AddressLetter is that letter. A language whose words are not written is answered in English.
func (v *View) AddressLetter(w AddressWords) (subject, text, html string, err error) {
	did := "joined"
	if w.Parted {
		did = "parted"
	}
	return v.plainLetter(w.Language, w.Donee, w.Accent, "address.letter."+did+".subject", []string{"address.letter." + did + ".text", "address.letter.not_you"},
		func(lang phrase.Language) []any { return []any{"address", w.Address, "date", phrase.Date(lang, w.On)} })
}
