package web

import (
	"net/http"
	"slices"

	"konbit/internal/books/org"
	"konbit/internal/platform/phrase"
)

// Language returns the reader's language for pages of no organisation: the one in the address, or the browser's best
// match.
func (k *Kernel) Language(r *http.Request) phrase.Language {
	return phrase.Match(k.Languages, r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
}

// LanguagesOf returns the organisation's languages that have a catalogue.
func (k *Kernel) LanguagesOf(o org.Organisation) []phrase.Language {
	return slices.DeleteFunc(slices.Clone(o.Languages), func(l phrase.Language) bool { return !slices.Contains(k.Languages, l) })
}

// VisitorLanguage returns the language of a donor's own pages. The first that is known of:
//
//  1. the language in the address; the browser then remembers it in a cookie
//  2. the language remembered in the cookie
//  3. preferred, the language the donor gives in
//  4. the browser's best match
func (k *Kernel) VisitorLanguage(w http.ResponseWriter, r *http.Request, preferred string) phrase.Language {
	requested := r.URL.Query().Get("lang")
	for _, known := range k.Languages {
		if string(known) == requested {
			k.SetCookie(w, LanguageCookie, requested, 0)
			return known
		}
	}
	if before := k.Cookie(r, LanguageCookie); before != "" {
		preferred = before
	}
	return phrase.Match(k.Languages, preferred, r.Header.Get("Accept-Language"))
}
