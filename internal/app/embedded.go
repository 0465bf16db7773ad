package app

import (
	"sync"

	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/templates"
)

// embeddedWords returns the words of templates.FS. The files are part of the program and the catalogue is immutable, so
// a process reads them once.
var embeddedWords = sync.OnceValues(func() (*phrase.Catalogue, error) { return view.LoadWords(templates.FS) })

// embeddedView returns the view of templates.FS. A process parses the templates once, because each App and each Resender
// of the process can use the same view: tests build hundreds of Apps.
var embeddedView = sync.OnceValues(func() (*view.View, error) {
	words, err := embeddedWords()
	if err != nil {
		return nil, err
	}
	return view.New(templates.FS, words)
})
