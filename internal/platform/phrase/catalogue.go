package phrase

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// Catalogue holds Konbit's own words in every language it was loaded with. It is immutable and safe for concurrent use.
type Catalogue struct {
	words map[Language]map[string]words
}

// Load reads every LANGUAGE.yaml of dirs. In a language, a key may be in one file only. The error joins all problems of
// all files: see check. English must be among the languages; the others are compared with it.
func Load(fsys fs.FS, dirs ...string) (*Catalogue, error) {
	var files []string
	for _, dir := range dirs {
		found, err := fs.Glob(fsys, path.Join(dir, "*.yaml"))
		if err != nil {
			return nil, fmt.Errorf("phrase: list %s: %w", dir, err)
		}
		files = append(files, found...)
	}
	c := &Catalogue{words: map[Language]map[string]words{}}
	for _, file := range files {
		lang := Language(strings.TrimSuffix(path.Base(file), ".yaml"))
		if !lang.Known() {
			return nil, fmt.Errorf("phrase: %s: %q is not a language we know (%v)", file, lang, Known())
		}
		parsed, err := read(fsys, file)
		if err != nil {
			return nil, err
		}
		if c.words[lang] == nil {
			c.words[lang] = make(map[string]words, len(parsed))
		}
		for key, w := range parsed {
			if _, twice := c.words[lang][key]; twice {
				return nil, fmt.Errorf("phrase: %s: %s stands in another file too", file, key)
			}
			c.words[lang][key] = w
		}
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return c, nil
}

// With returns a catalogue that also holds the words of dirs, for readers who have fewer languages. It reports an error
// unless dirs are complete in exactly these languages, in the order of Known. In the other languages of c, T and N
// return their English phrases.
func (c *Catalogue) With(fsys fs.FS, languages []Language, dirs ...string) (*Catalogue, error) {
	more, err := Load(fsys, dirs...)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(more.Languages(), languages) {
		return nil, fmt.Errorf("phrase: %v has words in %v, and needs them in %v", dirs, more.Languages(), languages)
	}
	all := &Catalogue{words: map[Language]map[string]words{}}
	for lang, own := range c.words {
		all.words[lang] = maps.Clone(own)
	}
	for _, lang := range languages {
		if all.words[lang] == nil {
			return nil, fmt.Errorf("phrase: %v has words in %s, which the other folders lack", dirs, lang)
		}
	}
	for _, lang := range c.Languages() {
		for key, w := range more.in(lang) {
			if _, twice := all.words[lang][key]; twice {
				return nil, fmt.Errorf("phrase: %v, %s: %s stands in another file too", dirs, lang, key)
			}
			all.words[lang][key] = w
		}
	}
	return all, nil
}

func read(fsys fs.FS, file string) (map[string]words, error) {
	source, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, fmt.Errorf("phrase: %w", err)
	}
	var texts map[string]string
	if err := yaml.Unmarshal(source, &texts); err != nil {
		return nil, fmt.Errorf("phrase: %s: %w", file, err)
	}
	parsed := make(map[string]words, len(texts))
	for key, text := range texts {
		if parsed[key], err = parse(text); err != nil {
			return nil, fmt.Errorf("phrase: %s: %s: %w", file, key, err)
		}
	}
	return parsed, nil
}

// T returns the phrase of key in lang with its {placeholders} replaced from args, which are pairs of name and value. A
// gap never breaks a page:
//
//   - a language without a catalogue: the English phrase
//   - an unknown key: the key itself
//   - a placeholder without a value: stays as it is written
func (c *Catalogue) T(lang Language, key string, args ...any) string {
	w, ok := c.in(lang)[key]
	if !ok {
		return key
	}
	return w.fill(args)
}

// N returns the phrase of key in its plural form for the number n, which also replaces {n}.
func (c *Catalogue) N(lang Language, key string, n int, args ...any) string {
	for _, l := range []Language{lang, English} {
		if w, ok := c.words[l][key+"#"+string(l.data().plural(n))]; ok {
			return w.fill(append([]any{"n", strconv.Itoa(n)}, args...))
		}
	}
	return key
}

// Has reports whether key is a phrase of the catalogue.
func (c *Catalogue) Has(key string) bool {
	_, ok := c.words[English][key]
	return ok
}

// Keys returns all keys in order, with the plural forms of English.
func (c *Catalogue) Keys() []string {
	return slices.Sorted(maps.Keys(c.words[English]))
}

// Languages returns the languages that every folder of Load is complete in. An organisation may offer these.
func (c *Catalogue) Languages() []Language {
	return slices.DeleteFunc(Known(), func(l Language) bool { return c.words[l] == nil })
}

// in returns the words of a language; the English words if it has no catalogue.
func (c *Catalogue) in(lang Language) map[string]words {
	if w, ok := c.words[lang]; ok {
		return w
	}
	return c.words[English]
}
