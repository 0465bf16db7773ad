package give

import (
	"io"

	"konbit/internal/giving/contact"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/view"
)

// FormPage is the donation form of an organisation.
type FormPage struct {
	view.Frame
	Organisation view.Organisation
	Action       string // address the form is posted to, with the language in it
	FormID       string // one-time id: submitting the form twice makes one gift

	Presets          []money.Amount // in the organisation's currency
	Minimum, Maximum money.Amount
	Funds            []Fund   // a single fund is shown and not asked
	Cover            *Cover   // estimate of the processing fee; nil if no fee is known
	Frequencies      []string // of once, weekly, monthly, quarterly, yearly; a single one is not asked

	Contact            string // email address for donors' questions; empty: not shown
	Entry              Entry
	Problems           []fault.Field // every bad field; Name is the field's name in the form
	RateLimited        bool          // the form is correct, but there were too many attempts
	PaymentUnavailable bool          // the form is correct, but the payment page cannot be reached
	Event              bool          // on a tablet that donors share: the next donor does not see what this one typed
}

// Fund is what a gift may be for, in the page's language.
type Fund struct {
	Slug, Name string
	Purpose    string // completes "to support …"; may be empty
}

// Cover is the estimated processing fee that a donor may add.
type Cover struct {
	BasisPoints, Fixed int64 // for the script: ten-thousandths of the total, and minor units
	Examples           []CoverExample
}

// CoverExample is the fee that is added to one gift.
type CoverExample struct{ Gift, Cover money.Amount }

// Entry is the form as it was typed, or preset by the address.
type Entry struct {
	Amount, AmountOther    string // a preset in major units, or "other"
	Fund                   string
	Split                  map[string]string // amount in major units by fund slug
	CoverFees              bool
	Frequency, Occurrences string
	Unpaid                 bool    // it is of a gift that was begun and is not paid
	AsWell                 *AsWell // nil unless the form was changed after its gift was paid

	contact.Contact
	Note            string
	Anonymous, News bool

	Dedication                       string // none, honour or memory
	DedicationName                   string
	CardName, CardEmail, CardMessage string
	EmailsAsked                      []string // addresses that seem mistyped, about which the page asks once
}

// Write writes the page.
func (p FormPage) Write(w io.Writer, v *view.View) error {
	return v.Write(w, "give/form", p.Language, newFormData(v, p))
}

// AsWell asks whether another gift is meant: the form's gift is paid, and the donor went back and changed the form.
type AsWell struct {
	Ref        string // of the paid gift
	Paid, More money.Amount
	ThanksURL  string // of the paid gift
}
