package give

import (
	"strings"

	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// formData is a FormPage in words, as the template form.html reads it.
type formData struct {
	FormPage
	Errors         []view.FormError
	ContactAddress string // email address to write to about a larger gift; empty: no problem asks for it

	AmountGroup, FundGroup, FrequencyGroup view.ChoiceGroup
	Other, Occurrences, Note               view.Field
	Split                                  *splitDisclosure // nil if there is one fund
	Dedication                             dedicationDisclosure
	CoverFees                              *coverCheckbox // nil if covering the fee is not offered
	You, Address                           []view.Field
	Country                                view.CountryField
	AddressOpen                            bool
	Checks                                 []view.Checkbox
	OnlyFund                               *Fund // nil if there are several
	OnlyFrequency                          string

	Charge      string // what will be charged, for any choice
	ChargeTexts []chargeText
}

// chargeText is what will be charged and the button's label at one frequency, with {amount} left for the script.
type chargeText struct{ Frequency, Charge, Button string }

func newFormData(v *view.View, p FormPage) formData {
	f := newFormBuilder(v, p)
	d := formData{
		FormPage:       p,
		AmountGroup:    f.amounts(),
		FundGroup:      f.funds(),
		FrequencyGroup: f.frequencies(),
		Other:          f.otherAmount(),
		Occurrences:    f.Field("occurrences", p.Entry.Occurrences, view.Field{Mode: "numeric", Autocomplete: "off"}),
		Note:           f.Field("note", p.Entry.Note, view.Field{Area: true}),
		You:            f.donorFields(),
		Address:        f.AddressFields(p.Entry.Contact),
		Country:        f.CountryField(p.Entry.Contact),
		Checks:         f.checkboxes(),
		Split:          f.split(),
		Dedication:     f.dedication(),
		CoverFees:      f.coverFees(),
		Errors:         f.Errors(f.target),
	}
	d.AddressOpen = f.addressOpen(d.Address, d.Country)
	if len(p.Funds) == 1 {
		d.OnlyFund = &p.Funds[0]
	}
	if len(p.Frequencies) == 1 {
		d.OnlyFrequency = p.Frequencies[0]
	}
	d.Charge, d.ChargeTexts = f.chargeTexts()
	for _, problem := range f.Problems() {
		if problem.Phrase == "give.error.amount.maximum" {
			d.ContactAddress = p.Contact
		}
	}
	return d
}

// Mailto returns the link that writes an email to ContactAddress.
func (d formData) Mailto() string { return "mailto:" + d.ContactAddress }

// NumberLocale returns the browser's locale that writes amounts as money.Amount.Format does.
func (d formData) NumberLocale() string {
	if d.Language == phrase.Portuguese {
		return "pt-BR"
	}
	return "en-US"
}

// Scale returns how many minor units make a major unit.
func (d formData) Scale() int64 {
	one, _ := money.Major(1, d.Minimum.Currency) // never out of range
	return one.Minor
}

// currencyName returns the currency in words, or its code.
func (f formBuilder) currencyName(c money.Currency) string {
	if key := "currency." + string(c); f.view.HasPhrase(key) {
		return f.Phrase(key)
	}
	return string(c)
}

// majorUnits returns an amount as a field of the form shows it: 20, 20.50.
func majorUnits(a money.Amount) string {
	whole, fraction, _ := strings.Cut(a.Decimal(), ".")
	if strings.Trim(fraction, "0") == "" {
		return whole
	}
	return whole + "." + fraction
}
