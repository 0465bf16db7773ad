package view

import (
	"io"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
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
	Cover            *Cover   // the processing fee can be added; nil: no fee is known
	Frequencies      []string // of once, weekly, monthly, quarterly, yearly; one: not asked

	Contact            string // the address donors write to; empty: none is told
	Entry              Entry
	Problems           []fault.Field // every bad field; Name is the field's name in the form
	RateLimited        bool          // good, but not taken now: too many attempts
	PaymentUnavailable bool          // good, but the payment page could not be reached
	Event              bool          // on a tablet that donors share: nothing typed is kept for the next
}

// Fund is what a gift may be for, in the page's language.
type Fund struct {
	Slug, Name string
	Purpose    string // completes "to support …"; may be empty
}

// Cover is what covering the processing fee comes to.
type Cover struct {
	BasisPoints, Fixed int64 // the estimate, for the script: ten-thousandths of the total, and minor units
	Examples           []CoverExample
}

// CoverExample is what is added to one gift.
type CoverExample struct{ Gift, Cover money.Amount }

// Entry is what was typed, or preset by the address: each field as it came.
type Entry struct {
	Amount, AmountOther    string // a preset in major units, or "other"
	Fund                   string
	Split                  map[string]string // of each fund by its slug, in major units
	CoverFees              bool
	Frequency, Occurrences string

	FirstName, LastName, Email, Phone                             string
	AddressLine1, AddressLine2, City, Region, PostalCode, Country string
	Note                                                          string
	Anonymous, News                                               bool

	Dedication                       string // none, honour or memory
	DedicationName                   string
	CardName, CardEmail, CardMessage string
}

// Give writes the form as p has it.
func (v *View) Give(w io.Writer, p GivePage) error {
	return v.write(w, "give", p.Language, v.giveData(p))
}
