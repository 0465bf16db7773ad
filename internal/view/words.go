package view

import (
	"fmt"
	"io/fs"
	"path"
	"slices"

	"konbit/internal/platform/phrase"
)

// staffAreas are the folders of templates whose words only staff read. All other folders are for donors.
var staffAreas = []string{"office"}

// StaffLanguages are the languages of the staff's areas.
var StaffLanguages = []phrase.Language{phrase.English, phrase.Spanish}

// StaffLanguage returns the language of a staff page that was asked for in lang: lang, or English if it is not one of
// StaffLanguages. The whole page is in this language, so that <html lang> names the language of all its words.
func StaffLanguage(lang phrase.Language) phrase.Language {
	if slices.Contains(StaffLanguages, lang) {
		return lang
	}
	return phrase.English
}

// LoadWords returns the words of all areas of fsys, each area's in AREA/LANGUAGE.yaml:
//
//	readers   areas           languages
//	donors    all others      every language that has a file; each must be complete
//	staff     staffAreas      exactly StaffLanguages; for another one, StaffLanguage returns the page's
//
// Languages of the result returns the donors' languages.
func LoadWords(fsys fs.FS) (*phrase.Catalogue, error) {
	files, err := fs.Glob(fsys, "*/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("view: %w", err)
	}
	var donors []string
	for _, file := range files {
		if area := path.Dir(file); !slices.Contains(staffAreas, area) && !slices.Contains(donors, area) {
			donors = append(donors, area)
		}
	}
	words, err := phrase.Load(fsys, donors...)
	if err != nil {
		return nil, err
	}
	return words.With(fsys, StaffLanguages, staffAreas...)
}
