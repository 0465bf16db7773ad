package view

import (
	"html/template"
	"slices"
	"strings"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"konbit/internal/platform/phrase"
)

// Country is a choice of the postal address: an ISO 3166-1 code and its name.
type Country struct{ Code, Name string }

// countryList is all countries in one language: names by code, and the options of a select element in the language's
// alphabetical order.
type countryList struct {
	names   map[string]string
	options template.HTML
}

// nonCountryCodes are codes in CLDR that are not countries: islands of other states, unions, outlying areas.
const nonCountryCodes = "AC CP CQ DG EA EU EZ IC QO TA UN ZZ XA XB"

func newCountryList(lang phrase.Language) countryList {
	tag := language.Make(string(lang))
	names := display.Regions(tag)
	if lang == phrase.HaitianCreole || names == nil {
		// CLDR has no Haitian Creole names; French is Haiti's other official language.
		names = display.Regions(language.French)
	}
	var all []Country
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string(a) + string(b)
			region, err := language.ParseRegion(code)
			if err != nil || !region.IsCountry() || region.Canonicalize().String() != code || strings.Contains(nonCountryCodes, code) {
				continue
			}
			if name := names.Name(region); name != "" {
				all = append(all, Country{code, name})
			}
		}
	}
	order := collate.New(tag)
	slices.SortFunc(all, func(a, b Country) int { return order.CompareString(a.Name, b.Name) })

	list := countryList{names: map[string]string{}}
	var options strings.Builder
	for _, c := range all {
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

// postal returns the lines of a postal address whose last line is the country's name in a language. A last line that is
// no country code stays as it is.
func (v *View) postal(lang phrase.Language, lines []string) []string {
	if len(lines) == 0 {
		return nil
	}
	name, ok := v.countries[lang].names[lines[len(lines)-1]]
	if !ok {
		return lines
	}
	return append(slices.Clone(lines[:len(lines)-1]), name)
}
