// Package country lists the countries of postal addresses.
package country

import (
	"slices"
	"strings"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"konbit/internal/platform/phrase"
)

// Country is a choice of the postal address: an ISO 3166-1 code and its name.
type Country struct{ Code, Name string }

// nonCountryCodes are codes in CLDR that are not countries: islands of other states, unions, outlying areas.
const nonCountryCodes = "AC CP CQ DG EA EU EZ IC QO TA UN ZZ XA XB"

// creole are names in Haitian Creole.
var creole = map[string]string{
	"AR": "Ajantin", "BE": "Bèljik", "BO": "Bolivi", "BR": "Brezil", "BS": "Bahamas", "CA": "Kanada",
	"CH": "Swis", "CL": "Chili", "CN": "Lachin", "CO": "Kolonbi", "CU": "Kiba", "DE": "Almay",
	"DO": "Repiblik Dominikèn", "EC": "Ekwatè", "ES": "Espay", "FR": "Frans", "GB": "Wayòm Ini",
	"GF": "Giyàn franse", "GP": "Gwadloup", "GT": "Gwatemala", "HT": "Ayiti", "IN": "End", "IT": "Itali",
	"JM": "Jamayik", "JP": "Japon", "MQ": "Matinik", "MX": "Meksik", "PA": "Panama", "PE": "Pewou",
	"PR": "Pòtoriko", "PT": "Pòtigal", "PY": "Paragwe", "US": "Etazini", "UY": "Irigwe", "VE": "Venezyela",
}

// List returns all countries with their names in a language, in the language's alphabetical order.
func List(lang phrase.Language) (all []Country) {
	tag := language.Make(string(lang))
	names := display.Regions(tag)
	if lang == phrase.HaitianCreole || names == nil {
		// CLDR has no Haitian Creole names; French, Haiti's other official language, replaces those that creole lacks.
		names = display.Regions(language.French)
	}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string(a) + string(b)
			region, err := language.ParseRegion(code)
			if err != nil || !region.IsCountry() || region.Canonicalize().String() != code || strings.Contains(nonCountryCodes, code) {
				continue
			}
			name := names.Name(region)
			if lang == phrase.HaitianCreole && creole[code] != "" {
				name = creole[code]
			}
			if name != "" {
				all = append(all, Country{code, name})
			}
		}
	}
	order := collate.New(tag)
	slices.SortFunc(all, func(a, b Country) int { return order.CompareString(a.Name, b.Name) })
	return all
}
