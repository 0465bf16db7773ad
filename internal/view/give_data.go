package view

import (
	"html/template"
	"strings"

	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// giveData is a GivePage with its words: what the template walks.
type giveData struct {
	GivePage
	Errors         []formError
	ContactAddress string // where to write to, where a problem asks for that; empty: none does

	AmountGroup, FundGroup, FrequencyGroup group
	Other, Occurrences, Note               field
	Split                                  *splitDisclosure // nil: there is one fund
	Dedication                             dedicationDisclosure
	CoverFees                              *coverCheck // nil: not offered
	You, Address                           []field
	Country                                countryField
	AddressOpen                            bool
	Checks                                 []check
	OnlyFund                               *Fund
	OnlyFrequency                          string

	Charge      string       // what will be charged, in general words
	ChargeTexts []chargeText // and exactly, for each frequency, with {amount} left for the script
}

type formError struct{ Target, Text string }

// described is what a field says beside its label.
type fieldText struct{ Name, Label, Hint, Error string }

// DescribedBy lists the ids of the field's hint and error.
func (d fieldText) DescribedBy() string {
	var ids []string
	if d.Hint != "" {
		ids = append(ids, d.Name+"-hint")
	}
	if d.Error != "" {
		ids = append(ids, d.Name+"-error")
	}
	return strings.Join(ids, " ")
}

type field struct {
	fieldText
	PostName                               string // the name it is posted by, where that is not its id
	Value, Type, Autocomplete, Mode, Class string
	Required, Area                         bool
	HideOptional                           bool // its group already says that it is optional
}

type check struct {
	fieldText
	Checked bool
}

type choice struct {
	ID, Name, Value, Label, Hint string
	Checked                      bool
}

// group is a question answered by one of its choices.
type group struct {
	fieldText
	Choices []choice
	Other   choice // an answer to be written
}

type countryField struct {
	fieldText
	Selected *Country
	Options  template.HTML
}

type chargeText struct{ Frequency, Charge, Button string }

func (v *View) giveData(p GivePage) giveData {
	f := newFormBuilder(v, p)
	d := giveData{
		GivePage:       p,
		AmountGroup:    f.amounts(),
		FundGroup:      f.funds(),
		FrequencyGroup: f.frequencies(),
		Other:          f.other(),
		Occurrences:    f.field("occurrences", p.Entry.Occurrences, field{Mode: "numeric", Autocomplete: "off"}),
		Note:           f.field("note", p.Entry.Note, field{Area: true}),
		You:            f.you(),
		Address:        f.address(),
		Country:        f.country(),
		Checks:         f.checks(),
		Split:          f.split(),
		Dedication:     f.dedication(),
		CoverFees:      f.coverFees(),
	}
	d.AddressOpen = f.addressOpen(d.Address, d.Country)
	if len(p.Funds) == 1 {
		d.OnlyFund = &p.Funds[0]
	}
	if len(p.Frequencies) == 1 {
		d.OnlyFrequency = p.Frequencies[0]
	}
	d.Charge, d.ChargeTexts = f.chargeTexts()
	d.Errors = f.errors()
	for _, problem := range f.problems {
		if problem.Phrase == "give.error.amount.maximum" {
			d.ContactAddress = p.Contact
		}
	}
	return d
}

// Mailto is the link to write a letter to an address.
func (d giveData) Mailto() string { return "mailto:" + d.ContactAddress }

// sayings are the words above the button and in it. The script fills {amount}
// in; where it does not run, the general words are true of every choice.
func (f formBuilder) chargeTexts() (general string, exact []chargeText) {
	donee := f.page.Organisation.Donee.Name
	key := "give.charge.any"
	if len(f.page.Frequencies) == 1 {
		key = "give.charge." + f.page.Frequencies[0]
	}
	amount := f.say("give.the_amount")
	if f.page.Cover != nil {
		amount = f.say("give.the_amount_and_fee")
	}
	general = f.say(key, "donee", donee, "amount", amount)
	for _, frequency := range f.page.Frequencies {
		exact = append(exact, chargeText{
			Frequency: frequency,
			Charge:    f.say("give.charge."+frequency, "donee", donee),
			Button:    f.say("give.button." + frequency),
		})
	}
	return general, exact
}

// currencyName is the currency in words, or its code.
func (v *View) currencyName(lang phrase.Language, c money.Currency) string {
	if key := "currency." + string(c); v.words.Has(key) {
		return v.words.T(lang, key)
	}
	return string(c)
}

// NumberLocale is the browser's locale that writes amounts as money.Amount.Format does.
func (d giveData) NumberLocale() string {
	if d.Language == phrase.Portuguese {
		return "pt-BR"
	}
	return "en-US"
}

// Scale is how many minor units make a major one.
func (d giveData) Scale() int64 {
	one, _ := money.Major(1, d.Minimum.Currency) // never out of range
	return one.Minor
}

// majorUnits is how the form's field says an amount: 20, 20.50.
func majorUnits(a money.Amount) string {
	whole, fraction, _ := strings.Cut(a.Decimal(), ".")
	if strings.Trim(fraction, "0") == "" {
		return whole
	}
	return whole + "." + fraction
}
