package phrase

import (
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"
)

// Language is a BCP 47 code of a language Konbit knows, such as "es".
type Language string

// The known languages, in the order in which Text.In uses them.
const (
	English       Language = "en"
	Spanish       Language = "es"
	Portuguese    Language = "pt"
	HaitianCreole Language = "ht"
)

// languageData describes a language.
type languageData struct {
	language Language
	name     string // in the language itself
	plural   func(n int) form
	forms    []form // the forms that plural may return
	months   [12]string
	date     string // with {day}, {month} and {year}
	first    string // the {day} of a month's first day
}

// The plural rules are those of CLDR 45, for whole numbers below a million. CLDR has none for Haitian Creole, whose
// nouns do not change with the number.
var languages = []languageData{
	{
		language: English, name: "English",
		plural: pluralOne, forms: []form{one, other},
		months: [12]string{
			"January", "February", "March", "April", "May", "June", "July",
			"August", "September", "October", "November", "December",
		},
		date: "{month} {day}, {year}", first: "1",
	},
	{
		language: Spanish, name: "Español",
		plural: pluralOne, forms: []form{one, other},
		months: [12]string{
			"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio",
			"agosto", "septiembre", "octubre", "noviembre", "diciembre",
		},
		date: "{day} de {month} de {year}", first: "1",
	},
	{
		language: Portuguese, name: "Português",
		plural: pluralZeroOne, forms: []form{one, other},
		months: [12]string{
			"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho",
			"agosto", "setembro", "outubro", "novembro", "dezembro",
		},
		date: "{day} de {month} de {year}", first: "1º",
	},
	{
		language: HaitianCreole, name: "Kreyòl",
		plural: pluralNone, forms: []form{other},
		months: [12]string{
			"janvye", "fevriye", "mas", "avril", "me", "jen", "jiyè",
			"out", "septanm", "oktòb", "novanm", "desanm",
		},
		date: "{day} {month} {year}", first: "1ye",
	},
}

// Known returns every known language, whether or not it has a catalogue, in the order of the constants.
func Known() []Language {
	all := make([]Language, len(languages))
	for i, t := range languages {
		all[i] = t.language
	}
	return all
}

// Known reports whether l is a known language.
func (l Language) Known() bool {
	return slices.ContainsFunc(languages, func(t languageData) bool { return t.language == l })
}

// Name returns the language's name in the language itself, as the page's language menu shows it.
func (l Language) Name() string { return l.data().name }

// data returns the data of the language; those of English if it is unknown.
func (l Language) data() *languageData {
	for i := range languages {
		if languages[i].language == l {
			return &languages[i]
		}
	}
	return &languages[0]
}

// Match chooses one of the offered languages, by the first rule that applies:
//
//  1. the language asked for by name (a ?lang= value), if it is offered
//  2. the best one for the browser's Accept-Language header
//  3. the first one offered; English if none is offered
//
// asked and acceptLanguage may be malformed.
func Match(offered []Language, asked, acceptLanguage string) Language {
	if len(offered) == 0 {
		return English
	}
	if slices.Contains(offered, Language(asked)) {
		return Language(asked)
	}
	wanted, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return offered[0]
	}
	_, i, _ := matcher(offered).Match(wanted...)
	return offered[i]
}

// matchers caches matchers by the list of offered languages. There are few such lists, and making a matcher takes as
// long as the rest of a page.
var matchers sync.Map

func matcher(offered []Language) language.Matcher {
	var key strings.Builder
	for _, l := range offered {
		key.WriteString(string(l))
		key.WriteByte(' ')
	}
	if made, ok := matchers.Load(key.String()); ok {
		return made.(language.Matcher)
	}
	tags := make([]language.Tag, len(offered))
	for i, l := range offered {
		tags[i] = language.Make(string(l))
	}
	made := language.NewMatcher(tags)
	matchers.Store(key.String(), made)
	return made
}
