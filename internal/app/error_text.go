package app

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
)

// ErrorText returns the text of an error for the people who run the program. If the error has a phrase key of the
// catalogue, the text contains the English phrase instead of the key, a phrase for each wrong field, and the cause in
// brackets.
func ErrorText(err error) string {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err.Error()
	}
	words, loadErr := embeddedWords()
	if loadErr != nil {
		return err.Error() // the error matters more than the catalogue, which tests check
	}
	text := inEnglish(words, f.Phrase, f.Args)
	for _, field := range f.Fields {
		text += fmt.Sprintf("; %s: %s", field.Name, inEnglish(words, field.Phrase, field.Args))
	}
	if f.Cause != nil {
		text += " (" + ErrorText(f.Cause) + ")"
	}
	return strings.Replace(err.Error(), f.Error(), text, 1)
}

func inEnglish(words *phrase.Catalogue, key string, args fault.Args) string {
	var pairs []any
	for _, name := range slices.Sorted(maps.Keys(args)) {
		pairs = append(pairs, name, fmt.Sprint(args[name]))
	}
	return words.T(phrase.English, key, pairs...)
}
