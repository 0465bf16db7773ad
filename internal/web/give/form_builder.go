package give

import (
	"slices"
	"strings"

	"konbit/internal/giving/contact"
	"konbit/internal/view"
)

// formBuilder builds the fields of one rendering of the form.
type formBuilder struct {
	view.Form
	page FormPage
	view *view.View
}

func newFormBuilder(v *view.View, p FormPage) formBuilder {
	f := formBuilder{Form: v.NewForm(p.Language, p.Problems), page: p, view: v}
	f.SharedDevice = p.Event
	return f
}

// target returns the id of the element that belongs to a field: the first choice of a question with choices; the submit
// button if this form does not ask for the field.
func (f formBuilder) target(name string) string {
	asksHowOften := len(f.page.Frequencies) > 1
	switch {
	case name == "amount" && len(f.page.Presets) > 0, name == "frequency" && asksHowOften:
		return id(name, 0)
	case strings.HasPrefix(name, "split") && len(f.page.Funds) > 1:
		return id("split", f.splitIndex(name))
	case name == "fund", strings.HasPrefix(name, "split"):
		return id("fund", 0)
	case name == "dedication":
		return id("dedication", 0)
	case name == "cover_fees" && f.page.Cover != nil:
		return name
	case name == "amount":
		return "amount-other"
	case name == "occurrences" && asksHowOften, slices.Contains(plainFields, name):
		return name
	default:
		return "submit"
	}
}

// plainFields are the fields whose id is their name.
var plainFields = append(contact.FieldNames(),
	"amount_other", "note", "anonymous", "news", "dedication_name", "card_name", "card_email", "card_message")

// donorFields returns the fields that say who the donor is.
func (f formBuilder) donorFields() []view.Field {
	c := f.page.Entry.Contact
	email := f.Field("email", c.Email, view.Field{Required: true, Type: "email", Autocomplete: "email", Mode: "email", Class: "wide"})
	return append(f.NameFields(c), email, f.PhoneField(c))
}

// addressOpen reports whether the address has a value or an error, so that it must be visible.
func (f formBuilder) addressOpen(fields []view.Field, country view.CountryField) bool {
	open := country.Selected != nil || country.Error != ""
	for _, field := range fields {
		open = open || field.Value != "" || field.Error != ""
	}
	return open
}

func (f formBuilder) checkboxes() []view.Checkbox {
	return []view.Checkbox{
		{FieldText: f.Describe("anonymous", f.Phrase("give.anonymous_hint")), Checked: f.page.Entry.Anonymous},
		{FieldText: f.Describe("news", f.Phrase("give.news_hint")), Checked: f.page.Entry.News},
	}
}

// chargeTexts returns the sentence above the submit button and the texts of each frequency. The script replaces
// {amount} in the latter; without a script the general sentence is shown, which is true for every choice.
func (f formBuilder) chargeTexts() (general string, byFrequency []chargeText) {
	donee := f.page.Organisation.Donee.Name
	key := "give.charge.any"
	if len(f.page.Frequencies) == 1 {
		key = "give.charge." + f.page.Frequencies[0]
	}
	amount := f.Phrase("give.the_amount")
	if f.page.Cover != nil {
		amount = f.Phrase("give.the_amount_and_fee")
	}
	general = f.Phrase(key, "donee", donee, "amount", amount)
	for _, frequency := range f.page.Frequencies {
		byFrequency = append(byFrequency, chargeText{
			Frequency: frequency,
			Charge:    f.Phrase("give.charge."+frequency, "donee", donee),
			Button:    f.Phrase("give.button." + frequency),
		})
	}
	return general, byFrequency
}
