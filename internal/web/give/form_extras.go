package give

import (
	"slices"
	"strings"

	"konbit/internal/view"
)

// disclosure is a details element of the form: closed until the donor opens it, or it has a value or an error.
type disclosure struct {
	view.FieldText
	Open bool
}

// splitDisclosure divides a gift among several funds.
type splitDisclosure struct {
	disclosure
	Parts []view.Field // an amount for each fund
}

type dedicationDisclosure struct {
	disclosure
	Kinds view.ChoiceGroup
	Name  view.Field
	Card  []view.Field
}

// coverCheckbox adds the processing fee. The script fills the amounts into Exact; without a script Examples are shown.
type coverCheckbox struct {
	view.Checkbox
	Examples, Exact string
}

func (f formBuilder) split() *splitDisclosure {
	if len(f.page.Funds) < 2 {
		return nil
	}
	s := &splitDisclosure{disclosure: disclosure{FieldText: f.Describe("split", f.Phrase("give.split_hint"))}}
	s.Open = s.Error != ""
	for i, fund := range f.page.Funds {
		name := "split[" + fund.Slug + "]"
		part := view.Field{FieldText: view.FieldText{Name: id("split", i), Label: fund.Name, Error: f.ErrorText(name)},
			PostName: name, Value: f.page.Entry.Split[fund.Slug]}
		s.Open = s.Open || part.Value != "" || part.Error != ""
		s.Parts = append(s.Parts, part)
	}
	return s
}

// splitIndex returns the index of the fund that the field split[SLUG] is for; 0 if there is none.
func (f formBuilder) splitIndex(name string) int {
	slug := strings.TrimSuffix(strings.TrimPrefix(name, "split["), "]")
	return max(0, slices.IndexFunc(f.page.Funds, func(fund Fund) bool { return fund.Slug == slug }))
}

func (f formBuilder) dedication() dedicationDisclosure {
	e := f.page.Entry
	d := dedicationDisclosure{
		disclosure: disclosure{FieldText: view.FieldText{Name: "dedicate", Label: f.Phrase("give.dedicate")}},
		Kinds:      view.ChoiceGroup{FieldText: f.Describe("dedication", "")},
		Name:       f.Field("dedication_name", e.DedicationName, view.Field{HideOptional: true, Autocomplete: "off"}),
		Card: []view.Field{
			f.Field("card_name", e.CardName, view.Field{HideOptional: true, Autocomplete: "off", Class: "wide"}),
			f.Field("card_email", e.CardEmail, view.Field{HideOptional: true, Type: "email", Autocomplete: "off", Mode: "email", Class: "wide"}),
			f.Field("card_message", e.CardMessage, view.Field{HideOptional: true, Area: true, Class: "wide"}),
		},
	}
	chosen := e.Dedication
	if chosen != "honour" && chosen != "memory" {
		chosen = "none"
	}
	for i, kind := range []string{"none", "honour", "memory"} {
		d.Kinds.Choices = append(d.Kinds.Choices, view.Choice{
			ID: id("dedication", i), Name: "dedication", Value: kind, Label: f.Phrase("give.dedication." + kind), Checked: kind == chosen,
		})
	}
	d.Open = chosen != "none" || d.Kinds.Error != ""
	for _, field := range append(d.Card, d.Name) {
		d.Open = d.Open || field.Value != "" || field.Error != ""
	}
	return d
}

func (f formBuilder) coverFees() *coverCheckbox {
	if f.page.Cover == nil {
		return nil
	}
	var examples []string
	for _, e := range f.page.Cover.Examples {
		examples = append(examples, f.Phrase("give.cover_fees_example", "cover", e.Cover, "amount", e.Gift))
	}
	return &coverCheckbox{
		Checkbox: view.Checkbox{FieldText: f.Describe("cover_fees", f.Phrase("give.cover_fees_hint")), Checked: f.page.Entry.CoverFees},
		Examples: f.Phrase("give.cover_fees_examples", "examples", strings.Join(examples, ", ")),
		Exact:    f.Phrase("give.cover_fees_exact"),
	}
}
