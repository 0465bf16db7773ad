package view

import (
	"maps"
	"net/url"

	"konbit/internal/platform/phrase"
)

// Frame is what every page has around it.
type Frame struct {
	Language phrase.Language
	Switch   []LanguageLink // the languages to choose from; fewer than two are not shown
	Accent   string         // the organisation's colour, #rrggbb, checked by CheckAccent; empty: the house's
}

// LanguageLink leads to the same page in another language.
type LanguageLink struct {
	Language phrase.Language
	URL      string
	Current  bool // the page is in this language
}

// Switch makes the links of a page at u, in here, to itself in each offered
// language. What else the address asks for stays in it.
func Switch(u *url.URL, here phrase.Language, offered []phrase.Language) []LanguageLink {
	if len(offered) < 2 {
		return nil
	}
	links := make([]LanguageLink, len(offered))
	for i, lang := range offered {
		query := maps.Clone(u.Query())
		query.Set("lang", string(lang))
		there := url.URL{Path: u.Path, RawQuery: query.Encode()}
		links[i] = LanguageLink{Language: lang, URL: there.String(), Current: lang == here}
	}
	return links
}

// Organisation is whom a page speaks of and gives to.
type Organisation struct {
	Name      string // in the page's language
	Donee     Donee
	Sponsored bool // a project of the donee, rather than the donee itself
}

// Donee is the legal entity that receives a gift.
type Donee struct {
	Name    string
	EIN     string   // as written: 12-3456789
	Address []string // its lines; none: not shown
}
