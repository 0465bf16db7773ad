package view

import (
	"slices"
	"strings"
)

// A fold is a part of the form that most donors pass by: closed until it is opened, filled or wrong.
type disclosure struct {
	fieldText
	Open bool
}

// splitFold shares a gift among several funds.
type splitDisclosure struct {
	disclosure
	Parts []field // an amount for each fund
}

type dedicationDisclosure struct {
	disclosure
	Kinds group
	Name  field
	Card  []field
}

// coverCheck is the box that adds the processing fee. The script fills the amounts into Exact, and shows the
// examples only as long as it cannot.
type coverCheck struct {
	check
	Examples, Exact string
}

func (f formBuilder) split() *splitDisclosure {
	if len(f.page.Funds) < 2 {
		return nil
	}
	s := &splitDisclosure{disclosure: disclosure{fieldText: f.describe("split", f.say("give.split_hint"))}}
	s.Open = s.Error != ""
	for i, fund := range f.page.Funds {
		name := "split[" + fund.Slug + "]"
		part := field{fieldText: fieldText{Name: id("split", i), Label: fund.Name, Error: f.errorTexts[name]}, PostName: name, Value: f.page.Entry.Split[fund.Slug]}
		s.Open = s.Open || part.Value != "" || part.Error != ""
		s.Parts = append(s.Parts, part)
	}
	return s
}

// partOf is the place of the fund that a field split[SLUG] is for, or 0.
func (f formBuilder) partOf(name string) int {
	slug := strings.TrimSuffix(strings.TrimPrefix(name, "split["), "]")
	return max(0, slices.IndexFunc(f.page.Funds, func(fund Fund) bool { return fund.Slug == slug }))
}

func (f formBuilder) dedication() dedicationDisclosure {
	e := f.page.Entry
	d := dedicationDisclosure{
		disclosure: disclosure{fieldText: fieldText{Name: "dedicate", Label: f.say("give.dedicate")}},
		Kinds:      group{fieldText: f.describe("dedication", "")},
		Name:       f.field("dedication_name", e.DedicationName, field{HideOptional: true, Autocomplete: "off"}),
		Card: []field{
			f.field("card_name", e.CardName, field{HideOptional: true, Autocomplete: "off", Class: "wide"}),
			f.field("card_email", e.CardEmail, field{HideOptional: true, Type: "email", Autocomplete: "off", Mode: "email", Class: "wide"}),
			f.field("card_message", e.CardMessage, field{HideOptional: true, Area: true, Class: "wide"}),
		},
	}
	chosen := e.Dedication
	if chosen != "honour" && chosen != "memory" {
		chosen = "none"
	}
	for i, kind := range []string{"none", "honour", "memory"} {
		d.Kinds.Choices = append(d.Kinds.Choices, choice{
			ID: id("dedication", i), Name: "dedication", Value: kind, Label: f.say("give.dedication." + kind), Checked: kind == chosen,
		})
	}
	d.Open = chosen != "none" || d.Kinds.Error != ""
	for _, field := range append(d.Card, d.Name) {
		d.Open = d.Open || field.Value != "" || field.Error != ""
	}
	return d
}

func (f formBuilder) coverFees() *coverCheck {
	if f.page.Cover == nil {
		return nil
	}
	var examples []string
	for _, e := range f.page.Cover.Examples {
		examples = append(examples, f.say("give.cover_fees_example", "cover", e.Cover, "amount", e.Gift))
	}
	return &coverCheck{
		check:    check{f.describe("cover_fees", f.say("give.cover_fees_hint")), f.page.Entry.CoverFees},
		Examples: f.say("give.cover_fees_examples", "examples", strings.Join(examples, ", ")),
		Exact:    f.say("give.cover_fees_exact"),
	}
}
