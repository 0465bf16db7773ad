package give

import (
	"cmp"
	"slices"
	"strconv"

	"konbit/internal/view"
)

// amounts returns the presets and the choice of another amount.
func (f formBuilder) amounts() view.ChoiceGroup {
	p := f.page
	hint := f.Phrase("give.amount_range", "minimum", p.Minimum, "maximum", p.Maximum)
	g := view.ChoiceGroup{FieldText: f.Describe("amount", hint)}
	for i, preset := range p.Presets {
		g.Choices = append(g.Choices, view.Choice{
			ID: id("amount", i), Value: majorUnits(preset), Label: preset.Format(string(p.Language)),
			Checked: p.Entry.Amount == majorUnits(preset),
		})
	}
	g.Other = view.Choice{ID: "amount-other", Checked: p.Entry.Amount == "other"}
	return g
}

// otherAmount returns the field of another amount.
func (f formBuilder) otherAmount() view.Field {
	d := f.Describe("amount_other", "")
	d.Label = f.Phrase("give.amount_other_label", "currency", f.currencyName(f.page.Minimum.Currency))
	return view.Field{FieldText: d, Value: f.page.Entry.AmountOther}
}

// funds returns the question which fund the gift is for; without choices if there is one fund. The first fund is chosen
// at the beginning: a gift without a fund is for that one.
func (f formBuilder) funds() view.ChoiceGroup {
	g := view.ChoiceGroup{FieldText: f.Describe("fund", "")}
	if len(f.page.Funds) < 2 {
		return g
	}
	chosen := cmp.Or(f.page.Entry.Fund, f.page.Funds[0].Slug)
	for i, fund := range f.page.Funds {
		hint := ""
		if fund.Purpose != "" {
			hint = f.Phrase("give.purpose", "purpose", fund.Purpose)
		}
		g.Choices = append(g.Choices, view.Choice{
			ID: id("fund", i), Name: "fund", Value: fund.Slug, Label: fund.Name,
			Hint: hint, Checked: fund.Slug == chosen,
		})
	}
	return g
}

// frequencies returns the question how often to give; without choices if there is one frequency. At the beginning
// "once" is chosen.
func (f formBuilder) frequencies() view.ChoiceGroup {
	g := view.ChoiceGroup{FieldText: f.Describe("frequency", "")}
	if len(f.page.Frequencies) < 2 {
		return g
	}
	chosen := f.page.Entry.Frequency
	if !slices.Contains(f.page.Frequencies, chosen) {
		chosen = "once"
	}
	for i, frequency := range f.page.Frequencies {
		g.Choices = append(g.Choices, view.Choice{
			ID: id("frequency", i), Name: "frequency", Value: frequency,
			Label: f.Phrase("give.frequency." + frequency), Checked: frequency == chosen,
		})
	}
	return g
}

// id returns the element id of the choice number i of a question.
func id(name string, i int) string { return name + "-" + strconv.Itoa(i) }
