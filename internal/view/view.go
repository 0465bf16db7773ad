package view

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/platform/typeset"
)

// View renders pages, emails and documents. It is immutable and safe for concurrent use.
type View struct {
	words             *phrase.Catalogue
	assets            *assets
	pages             map[string]map[phrase.Language]*template.Template // by "area/name"
	receiptEmails     map[int]map[phrase.Language]emailTemplates        // by version
	statementEmails   map[int]map[phrase.Language]emailTemplates        // by version
	tributeCardEmails map[phrase.Language]emailTemplates
	thankYouEmails    map[phrase.Language]emailTemplates
	auditDigestEmails map[phrase.Language]emailTemplates
	signInEmails      map[phrase.Language]emailTemplates
	planEmails        map[phrase.Language]emailTemplates
	plainEmails       map[phrase.Language]emailTemplates
	countries         map[phrase.Language]countryList
	fonts             *typeset.Fonts
}

// Folders of templates that hold no pages of an area.
const (
	layoutFolder = "layout" // the frame, components, and the few pages of no area
	emailFolder  = "letters"
)

// New parses all of fsys: static files, emails, and the pages of every area. The catalogue must hold every language
// that will be asked for; a language it lacks is shown in English.
func New(fsys fs.FS, words *phrase.Catalogue) (*View, error) {
	v := &View{words: words, countries: map[phrase.Language]countryList{}, fonts: typeset.System()}
	var err error
	if v.assets, err = newAssets(fsys); err != nil {
		return nil, err
	}
	if v.pages, err = v.parsePages(fsys); err != nil {
		return nil, err
	}
	if v.receiptEmails, err = v.parseReceipts(fsys); err != nil {
		return nil, err
	}
	if v.statementEmails, err = v.parseStatements(fsys); err != nil {
		return nil, err
	}
	for folder, into := range map[string]*map[phrase.Language]emailTemplates{
		"card": &v.tributeCardEmails, "thanks": &v.thankYouEmails, "head": &v.auditDigestEmails, "plan": &v.planEmails, "sign_in": &v.signInEmails,
		"privacy": &v.plainEmails,
	} {
		if *into, err = v.parseEmails(fsys, emailFolder+"/"+folder); err != nil {
			return nil, err
		}
	}
	for _, lang := range words.Languages() {
		v.countries[lang] = newCountryList(lang)
	}
	return v, nil
}

// WithFonts returns a View whose documents use other fonts than those of this machine.
func (v *View) WithFonts(fonts *typeset.Fonts) *View {
	other := *v
	other.fonts = fonts
	return &other
}

// parsePages parses AREA/NAME.html as page "AREA/NAME", each with the layout, the components and the area's own
// components: AREA/components*.html.
func (v *View) parsePages(fsys fs.FS) (map[string]map[phrase.Language]*template.Template, error) {
	files, err := fs.Glob(fsys, "*/*.html")
	if err != nil {
		return nil, fmt.Errorf("view: %w", err)
	}
	pages := map[string]map[phrase.Language]*template.Template{}
	for _, file := range files {
		area, name := path.Dir(file), strings.TrimSuffix(path.Base(file), ".html")
		if area == emailFolder || name == "layout" || strings.HasPrefix(name, "components") {
			continue
		}
		needed, err := fs.Glob(fsys, area+"/components*.html")
		if err != nil {
			return nil, err
		}
		needed = append([]string{layoutFolder + "/layout.html", layoutFolder + "/components.html", file}, needed...)
		pages[area+"/"+name] = map[phrase.Language]*template.Template{}
		for _, lang := range v.words.Languages() {
			page, err := template.New(name).Funcs(v.functions(lang)).Option("missingkey=error").ParseFS(fsys, needed...)
			if err != nil {
				return nil, fmt.Errorf("view: %w", err)
			}
			pages[area+"/"+name][lang] = page
		}
	}
	return pages, nil
}

// functions are what a template may call: t and n return phrases, the others addresses and formatted values.
func (v *View) functions(lang phrase.Language) template.FuncMap {
	return template.FuncMap{
		"t":     func(key string, args ...any) string { return v.Phrase(lang, key, args...) },
		"n":     func(key string, n int, args ...any) string { return v.words.N(lang, key, n, args...) },
		"money": func(a money.Amount) string { return a.Format(string(lang)) },
		"exact": func(a money.Amount) string { return a.FormatExact(string(lang)) },
		"day":   func(at time.Time) string { return phrase.Date(lang, at) }, "shortday": func(at time.Time) string { return phrase.ShortDate(lang, at) },
		"ismail":      func(text string) bool { return strings.Contains(text, "@") && !strings.ContainsAny(text, " \n") },
		"shortmoment": func(at time.Time) string { return phrase.ShortDate(lang, at) + ", " + at.Format("15:04") },
		"moment":      func(at time.Time) string { return phrase.Date(lang, at) + ", " + at.Format("15:04") },
		"postal":      func(lines []string) []string { return v.Postal(lang, lines) },
		"join":        func(lines []string) string { return strings.Join(lines, ", ") },
		"asset":       v.assets.url, "accent": accentURL,
	}
}

// Phrase returns the phrase of key with its placeholders filled from args. Amounts of money are written as readers of
// lang write them.
func (v *View) Phrase(lang phrase.Language, key string, args ...any) string {
	args = slices.Clone(args)
	for i, arg := range args {
		if amount, ok := arg.(money.Amount); ok {
			args[i] = amount.Format(string(lang))
		}
	}
	return v.words.T(lang, key, args...)
}

// PhraseN returns the phrase of key for the number n.
func (v *View) PhraseN(lang phrase.Language, key string, n int, args ...any) string {
	return v.words.N(lang, key, n, args...)
}

// HasPhrase reports whether key is a phrase of the catalogue.
func (v *View) HasPhrase(key string) bool { return v.words.Has(key) }

// ErrorText returns what to do about a bad field.
func (v *View) ErrorText(lang phrase.Language, f fault.Field) string {
	if !v.words.Has(f.Phrase) {
		return v.words.T(lang, "give.error.check")
	}
	args := make([]any, 0, 2*len(f.Args))
	for name, value := range f.Args {
		args = append(args, name, value)
	}
	return v.Phrase(lang, f.Phrase, args...)
}

// Page renders the page "area/name" whole. A language without words is shown in English. For a staff page it reports an
// error if lang is not the result of StaffLanguage.
func (v *View) Page(name string, lang phrase.Language, data any) ([]byte, error) {
	if slices.Contains(staffAreas, path.Dir(name)) && lang != StaffLanguage(lang) {
		return nil, fmt.Errorf("view: staff read %s in %v and not in %s: see StaffLanguage", name, StaffLanguages, lang)
	}
	page, ok := v.pages[name][lang]
	if !ok {
		page, ok = v.pages[name][phrase.English]
	}
	if !ok {
		return nil, fmt.Errorf("view: there is no page %s", name)
	}
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, "layout", data); err != nil {
		return nil, fmt.Errorf("view: %w", err)
	}
	return b.Bytes(), nil
}

// Write writes the page "area/name" to w, whole or not at all.
func (v *View) Write(w io.Writer, name string, lang phrase.Language, data any) error {
	html, err := v.Page(name, lang, data)
	if err != nil {
		return err
	}
	_, err = w.Write(html)
	return err
}
