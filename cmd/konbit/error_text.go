package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/templates"
)

// spoken is an error as a technician reads it: where it holds a phrase of the catalogue, that phrase in English instead of its
// key, each bad field with its own, and the cause in brackets.
func errorText(err error) string {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err.Error()
	}
	words, loadErr := phrase.Load(templates.FS, templates.DonorWords...)
	if loadErr != nil {
		return err.Error() // a test holds the catalogues: this says more than it would
	}
	text := inEnglish(words, f.Phrase, f.Args)
	for _, field := range f.Fields {
		text += fmt.Sprintf("; %s: %s", field.Name, inEnglish(words, field.Phrase, field.Args))
	}
	if f.Cause != nil {
		text += " (" + errorText(f.Cause) + ")"
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
