package view

import (
	"html/template"
	"slices"
	"strings"

	"konbit/internal/platform/phrase"
	"konbit/internal/view/country"
)

// Country is a choice of the postal address.
type Country = country.Country

// countryList is all countries in one language: names by code, and the options of a select element in the language's
// alphabetical order.
type countryList struct {
	names   map[string]string
	options template.HTML
}

func newCountryList(lang phrase.Language) countryList {
	list := countryList{names: map[string]string{}}
	var options strings.Builder
	for _, c := range country.List(lang) {
		list.names[c.Code] = c.Name
		options.WriteString("<option value=" + c.Code + ">" + template.HTMLEscapeString(c.Name))
	}
	list.options = template.HTML(options.String())
	return list
}

// IsCountry reports whether a code is one of the choices.
func (v *View) IsCountry(code string) bool {
	_, ok := v.countries[phrase.English].names[code]
	return ok
}

// Postal returns the lines of a postal address with the country's name in a language instead of a code in the last line.
func (v *View) Postal(lang phrase.Language, lines []string) []string {
	if len(lines) == 0 {
		return nil
	}
	name, ok := v.countries[lang].names[lines[len(lines)-1]]
	if !ok {
		return lines
	}
	return append(slices.Clone(lines[:len(lines)-1]), name)
}
