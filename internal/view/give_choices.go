package view

import (
	"cmp"
	"slices"
	"strconv"
)

// amounts are the presets as large buttons and, among them, another amount.
func (f formBuilder) amounts() group {
	p := f.page
	hint := f.say("give.amount_range", "minimum", p.Minimum, "maximum", p.Maximum)
	g := group{fieldText: f.describe("amount", hint)}
	for i, preset := range p.Presets {
		g.Choices = append(g.Choices, choice{
			ID: id("amount", i), Value: majorUnits(preset), Label: preset.Format(string(p.Language)),
			Checked: p.Entry.Amount == majorUnits(preset),
		})
	}
	g.Other = choice{ID: "amount-other", Checked: p.Entry.Amount == "other"}
	return g
}

// other is the field of another amount.
func (f formBuilder) other() field {
	d := f.describe("amount_other", "")
	d.Label = f.say("give.amount_other_label", "currency", f.view.currencyName(f.page.Language, f.page.Minimum.Currency))
	return field{fieldText: d, Value: f.page.Entry.AmountOther}
}

// funds are asked when there is more than one. The first is chosen until the
// donor says otherwise: it is what a gift without a fund is for.
func (f formBuilder) funds() group {
	g := group{fieldText: f.describe("fund", "")}
	if len(f.page.Funds) < 2 {
		return g
	}
	chosen := cmp.Or(f.page.Entry.Fund, f.page.Funds[0].Slug)
	for i, fund := range f.page.Funds {
		hint := ""
		if fund.Purpose != "" {
			hint = f.say("give.purpose", "purpose", fund.Purpose)
		}
		g.Choices = append(g.Choices, choice{
			ID: id("fund", i), Name: "fund", Value: fund.Slug, Label: fund.Name,
			Hint: hint, Checked: fund.Slug == chosen,
		})
	}
	return g
}

// frequencies are asked when there is more than one; then one time is chosen
// until the donor says otherwise.
func (f formBuilder) frequencies() group {
	g := group{fieldText: f.describe("frequency", "")}
	if len(f.page.Frequencies) < 2 {
		return g
	}
	chosen := f.page.Entry.Frequency
	if !slices.Contains(f.page.Frequencies, chosen) {
		chosen = "once"
	}
	for i, frequency := range f.page.Frequencies {
		g.Choices = append(g.Choices, choice{
			ID: id("frequency", i), Name: "frequency", Value: frequency,
			Label: f.say("give.frequency." + frequency), Checked: frequency == chosen,
		})
	}
	return g
}

func id(name string, i int) string { return name + "-" + strconv.Itoa(i) }
