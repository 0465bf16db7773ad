package view

import (
	"maps"
	"net/url"

	"konbit/internal/platform/phrase"
)

// Frame is what the layout of every page shows.
type Frame struct {
	Language phrase.Language
	Switch   []LanguageLink // languages to choose from; not shown if fewer than two
	Skip     string         // id of the element that the first link of the page leads to; empty: main
	Accent   string         // the organisation's colour, #rrggbb; DefaultAccent if empty or not accepted by CheckAccent
}

// LanguageLink is a link to the same page in another language.
type LanguageLink struct {
	Language phrase.Language
	URL      string
	Current  bool // the page is in this language
}

// Switch returns the links from the page at u, which is in language here, to itself in each offered language; nil if
// fewer than two are offered. Other parameters of the address stay.
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

// Organisation is the organisation that a page is about.
type Organisation struct {
	Name      string // in the page's language
	Donee     Donee
	Sponsored bool // a project of the donee, rather than the donee itself
}

// Donee is the legal entity that receives the gifts.
type Donee struct {
	Name    string
	EIN     string   // as written: 12-3456789
	Address []string // lines; not shown if there are none
}
