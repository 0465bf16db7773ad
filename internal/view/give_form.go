package view

import (
	"konbit/internal/fault"
)

// giveForm builds the fields of one rendering of the form.
type giveForm struct {
	view    *View
	page    GivePage
	say     func(key string, args ...any) string
	mend    map[string]string // what to do, by field
	targets []fault.Field
}

func newGiveForm(v *View, p GivePage) giveForm {
	f := giveForm{
		view: v, page: p, mend: map[string]string{},
		say: func(key string, args ...any) string { return v.say(p.Language, key, args...) },
	}
	for _, problem := range p.Problems {
		if _, twice := f.mend[problem.Name]; !twice {
			f.mend[problem.Name] = v.mend(p.Language, problem)
			f.targets = append(f.targets, problem)
		}
	}
	return f
}

// errors leads from the summary to each bad field, in the order they came.
func (f giveForm) errors() []formError {
	first := map[string]string{"amount": "amount-0", "fund": "fund-0", "frequency": "frequency-0", "form": "submit"}
	var all []formError
	for _, problem := range f.targets {
		target := problem.Name
		if id, ok := first[target]; ok {
			target = id
		}
		all = append(all, formError{Target: target, Text: f.mend[problem.Name]})
	}
	return all
}

func (f giveForm) describe(name, hint string) described {
	return described{Name: name, Label: f.say("give." + name), Hint: hint, Error: f.mend[name]}
}

func (f giveForm) field(name, value string, as field) field {
	hint := ""
	if key := "give." + name + "_hint"; f.view.words.Has(key) {
		hint = f.say(key)
	}
	as.described, as.Value = f.describe(name, hint), value
	if as.Type == "" {
		as.Type = "text"
	}
	return as
}

func (f giveForm) you() []field {
	e := f.page.Entry
	return []field{
		f.field("first_name", e.FirstName, field{Required: true, Autocomplete: "given-name"}),
		f.field("last_name", e.LastName, field{Required: true, Autocomplete: "family-name"}),
		f.field("email", e.Email, field{Required: true, Type: "email", Autocomplete: "email", Mode: "email", Class: "wide"}),
		f.field("phone", e.Phone, field{Type: "tel", Autocomplete: "tel", Mode: "tel", Class: "wide"}),
	}
}

// address is optional as a whole, and says so once, at its head.
func (f giveForm) address() []field {
	e := f.page.Entry
	return []field{
		f.field("address_line1", e.AddressLine1, field{Autocomplete: "address-line1", Class: "wide", Quiet: true}),
		f.field("address_line2", e.AddressLine2, field{Autocomplete: "address-line2", Class: "wide", Quiet: true}),
		f.field("city", e.City, field{Autocomplete: "address-level2", Quiet: true}),
		f.field("region", e.Region, field{Autocomplete: "address-level1", Quiet: true}),
		f.field("postal_code", e.PostalCode, field{Autocomplete: "postal-code", Quiet: true}),
	}
}

func (f giveForm) country() countryField {
	countries := f.view.countries[f.page.Language]
	c := countryField{described: f.describe("country", ""), Options: countries.options}
	if name, ok := countries.names[f.page.Entry.Country]; ok {
		c.Selected = &Country{f.page.Entry.Country, name}
	}
	return c
}

func (f giveForm) checks() []check {
	return []check{
		{f.describe("anonymous", f.say("give.anonymous_hint")), f.page.Entry.Anonymous},
		{f.describe("news", f.say("give.news_hint")), f.page.Entry.News},
	}
}
