package view

import (
	"cmp"
	"strings"

	"konbit/internal/giving/contact"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
)

// Form builds the fields of one rendering of a form, in one language, with the errors of each field.
type Form struct {
	// SharedDevice turns autocomplete off: the next person on this device must not see what was typed.
	SharedDevice bool

	view       *View
	language   phrase.Language
	errorTexts map[string]string // by field name
	problems   []fault.Field     // the first of each field
}

// NewForm returns a builder of fields. Of several problems of one field it shows the first.
func (v *View) NewForm(lang phrase.Language, problems []fault.Field) Form {
	f := Form{view: v, language: lang, errorTexts: map[string]string{}}
	for _, problem := range problems {
		if _, twice := f.errorTexts[problem.Name]; !twice {
			f.errorTexts[problem.Name] = v.ErrorText(lang, problem)
			f.problems = append(f.problems, problem)
		}
	}
	return f
}

// Phrase returns the phrase of key in the form's language.
func (f Form) Phrase(key string, args ...any) string { return f.view.Phrase(f.language, key, args...) }

// ErrorText returns what to do about a field; empty if nothing is wrong with it.
func (f Form) ErrorText(name string) string { return f.errorTexts[name] }

// Problems returns the first problem of each field, in the order in which they were found.
func (f Form) Problems() []fault.Field { return f.problems }

// Errors returns the lines of the summary of errors. Each names its field by the field's label, because the same words
// may be about several. target returns the id of the element that belongs to a field.
func (f Form) Errors(target func(name string) string) []FormError {
	var all []FormError
	for _, problem := range f.problems {
		all = append(all, FormError{Target: target(problem.Name), Field: f.label(problem.Name), Text: f.errorTexts[problem.Name]})
	}
	return all
}

// label returns the label of a field without a colon; empty if there is none.
func (f Form) label(name string) string {
	key := "give." + name
	if !f.view.HasPhrase(key) {
		return ""
	}
	return strings.TrimRight(f.Phrase(key), ":?.")
}

// Describe returns the texts of a field whose label is the phrase give.NAME.
func (f Form) Describe(name, hint string) FieldText {
	return FieldText{Name: name, Label: f.Phrase("give." + name), Hint: hint, Error: f.errorTexts[name]}
}

// Field sets the name, value, label and hint of as. The label is the phrase give.NAME; the hint is give.NAME_hint, if
// that phrase exists.
func (f Form) Field(name, value string, as Field) Field {
	hint := ""
	if key := "give." + name + "_hint"; f.view.HasPhrase(key) {
		hint = f.Phrase(key)
	}
	as.FieldText, as.Value = f.Describe(name, hint), value
	if as.Type == "" {
		as.Type = "text"
	}
	if f.SharedDevice {
		as.Autocomplete = "off"
	}
	return as
}

// NameFields returns the fields of a person's name.
func (f Form) NameFields(c contact.Contact) []Field {
	return []Field{
		f.Field("first_name", c.FirstName, Field{Required: true, Autocomplete: "given-name"}),
		f.Field("last_name", c.LastName, Field{Autocomplete: "family-name"}),
	}
}

// PhoneField returns the field of a phone number.
func (f Form) PhoneField(c contact.Contact) Field {
	return f.Field("phone", c.Phone, Field{Type: "tel", Autocomplete: "tel", Mode: "tel", Class: "wide"})
}

// AddressFields returns the fields of a postal address without its country. The group says once that it is optional.
func (f Form) AddressFields(c contact.Contact) []Field {
	return []Field{
		f.Field("address_line1", c.AddressLine1, Field{Autocomplete: "address-line1", Class: "wide", HideOptional: true}),
		f.Field("address_line2", c.AddressLine2, Field{Autocomplete: "address-line2", Class: "wide", HideOptional: true}),
		f.Field("city", c.City, Field{Autocomplete: "address-level2", HideOptional: true}),
		f.Field("region", c.Region, Field{Autocomplete: "address-level1", HideOptional: true}),
		f.Field("postal_code", c.PostalCode, Field{Autocomplete: "postal-code", HideOptional: true}),
	}
}

// CountryField returns the select element of countries. A value that is no country code is shown as it was typed.
func (f Form) CountryField(c contact.Contact) CountryField {
	countries := f.view.countries[f.language]
	field := CountryField{FieldText: f.Describe("country", ""), Options: countries.options}
	if code := c.Country; code != "" {
		field.Selected = &Country{Code: code, Name: cmp.Or(countries.names[code], code)}
	}
	return field
}
