package view

import (
	"cmp"
	"slices"
	"strings"

	"konbit/internal/platform/fault"
)

// giveForm builds the fields of one rendering of the form.
type formBuilder struct {
	view       *View
	page       GivePage
	say        func(key string, args ...any) string
	errorTexts map[string]string // what to do, by field
	problems   []fault.Field     // the first of each field
}

func newFormBuilder(v *View, p GivePage) formBuilder {
	f := formBuilder{
		view: v, page: p, errorTexts: map[string]string{},
		say: func(key string, args ...any) string { return v.say(p.Language, key, args...) },
	}
	for _, problem := range p.Problems {
		if _, twice := f.errorTexts[problem.Name]; !twice {
			f.errorTexts[problem.Name] = v.errorText(p.Language, problem)
			f.problems = append(f.problems, problem)
		}
	}
	return f
}

// errors leads from the summary to each bad field, in the order they came.
func (f formBuilder) errors() []formError {
	var all []formError
	for _, problem := range f.problems {
		all = append(all, formError{Target: f.target(problem.Name), Text: f.errorTexts[problem.Name]})
	}
	return all
}

// target is the id to go to for a field: of a question with choices the first
// of them, and the button for what this form does not ask.
func (f formBuilder) target(name string) string {
	asksHowOften := len(f.page.Frequencies) > 1
	switch {
	case name == "amount" && len(f.page.Presets) > 0, name == "frequency" && asksHowOften:
		return id(name, 0)
	case strings.HasPrefix(name, "split") && len(f.page.Funds) > 1:
		return id("split", f.partOf(name))
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

// plainFields have their own name for an id.
var plainFields = []string{
	"amount_other", "first_name", "last_name", "email", "phone", "address_line1", "address_line2",
	"city", "region", "postal_code", "country", "note", "anonymous", "news",
	"dedication_name", "card_name", "card_email", "card_message",
}

func (f formBuilder) describe(name, hint string) fieldText {
	return fieldText{Name: name, Label: f.say("give." + name), Hint: hint, Error: f.errorTexts[name]}
}

func (f formBuilder) field(name, value string, as field) field {
	hint := ""
	if key := "give." + name + "_hint"; f.view.words.Has(key) {
		hint = f.say(key)
	}
	as.fieldText, as.Value = f.describe(name, hint), value
	if as.Type == "" {
		as.Type = "text"
	}
	if f.page.Event {
		as.Autocomplete = "off"
	}
	return as
}

func (f formBuilder) you() []field {
	e := f.page.Entry
	return []field{
		f.field("first_name", e.FirstName, field{Required: true, Autocomplete: "given-name"}),
		f.field("last_name", e.LastName, field{Required: true, Autocomplete: "family-name"}),
		f.field("email", e.Email, field{Required: true, Type: "email", Autocomplete: "email", Mode: "email", Class: "wide"}),
		f.field("phone", e.Phone, field{Type: "tel", Autocomplete: "tel", Mode: "tel", Class: "wide"}),
	}
}

// address is optional as a whole, and says so once, at its head.
func (f formBuilder) address() []field {
	e := f.page.Entry
	return []field{
		f.field("address_line1", e.AddressLine1, field{Autocomplete: "address-line1", Class: "wide", HideOptional: true}),
		f.field("address_line2", e.AddressLine2, field{Autocomplete: "address-line2", Class: "wide", HideOptional: true}),
		f.field("city", e.City, field{Autocomplete: "address-level2", HideOptional: true}),
		f.field("region", e.Region, field{Autocomplete: "address-level1", HideOptional: true}),
		f.field("postal_code", e.PostalCode, field{Autocomplete: "postal-code", HideOptional: true}),
	}
}

func (f formBuilder) country() countryField {
	countries := f.view.countries[f.page.Language]
	c := countryField{fieldText: f.describe("country", ""), Options: countries.options}
	if code := f.page.Entry.Country; code != "" {
		// What is no country of ours is kept as it came.
		c.Selected = &Country{code, cmp.Or(countries.names[code], code)}
	}
	return c
}

// addressOpen tells whether there is something to see or to mend in the address.
func (f formBuilder) addressOpen(fields []field, country countryField) bool {
	open := country.Selected != nil || country.Error != ""
	for _, field := range fields {
		open = open || field.Value != "" || field.Error != ""
	}
	return open
}

func (f formBuilder) checks() []check {
	return []check{
		{f.describe("anonymous", f.say("give.anonymous_hint")), f.page.Entry.Anonymous},
		{f.describe("news", f.say("give.news_hint")), f.page.Entry.News},
	}
}
