package view

import (
	"io"

	"konbit/internal/fault"
	"konbit/internal/money"
)

// GivePage is the donation form of an organisation.
type GivePage struct {
	Frame
	Organisation Organisation
	Action       string // where the form is posted, with the language in it
	FormID       string // the one-time id that makes a second press harmless

	Presets          []money.Amount // whole or not, in the organisation's currency
	Minimum, Maximum money.Amount
	Funds            []Fund   // one: said, not asked
	Frequencies      []string // of once, weekly, monthly, quarterly, yearly; one: not asked

	Entry    Entry
	Problems []fault.Field // every bad field; Name is the field's name in the form
}

// Fund is what a gift may be for, in the page's language.
type Fund struct {
	Slug, Name string
	Purpose    string // completes "to support …"; may be empty
}

// Entry is what was typed, or preset by the address: each field as it came.
type Entry struct {
	Amount, AmountOther    string // a preset in major units, or "other"
	Fund                   string
	Frequency, Occurrences string

	FirstName, LastName, Email, Phone                             string
	AddressLine1, AddressLine2, City, Region, PostalCode, Country string
	Note                                                          string
	Anonymous, News                                               bool
}

// Give writes the form as p has it.
func (v *View) Give(w io.Writer, p GivePage) error {
	return v.write(w, "give", p.Language, v.giveData(p))
}
