package view

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// View renders everything people read. It is immutable and safe for concurrent use.
type View struct {
	words             *phrase.Catalogue
	assets            *assets
	pages             map[string]map[phrase.Language]*template.Template
	receiptEmails     map[int]map[phrase.Language]emailTemplates
	tributeCardEmails map[phrase.Language]emailTemplates
	auditDigestEmails map[phrase.Language]emailTemplates
	signInEmails      map[phrase.Language]emailTemplates
	planEmails        map[phrase.Language]emailTemplates
	statementEmails   map[int]map[phrase.Language]emailTemplates
	plainEmails       map[phrase.Language]emailTemplates
	countries         map[phrase.Language]countryList
	typefaces         []typesetter
}

var pageNames = []string{"give", "step", "event", "thanks", "plan", "plan_card", "statement", "home", "problem", "styleguide",
	"sign_in", "sign_in_code", "sign_in_link", "portal_home", "portal_gifts", "portal_receipt", "portal_plans", "portal_details", "records", "letters"}

// New reads and parses all of fsys: static/, pages/ and letters/. The
// catalogue must hold every language that will be asked for; what it lacks is
// shown in English.
func New(fsys fs.FS, words *phrase.Catalogue) (*View, error) {
	v := &View{words: words, countries: map[phrase.Language]countryList{}}
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
	if v.tributeCardEmails, err = v.parseEmails(fsys, "letters/card"); err != nil {
		return nil, err
	}
	if v.auditDigestEmails, err = v.parseEmails(fsys, "letters/head"); err != nil {
		return nil, err
	}
	if v.planEmails, err = v.parseEmails(fsys, "letters/plan"); err != nil {
		return nil, err
	}
	if v.signInEmails, err = v.parseEmails(fsys, "letters/sign_in"); err != nil {
		return nil, err
	}
	if v.plainEmails, err = v.parseEmails(fsys, "letters/privacy"); err != nil {
		return nil, err
	}
	if v.statementEmails, err = v.parseStatements(fsys); err != nil {
		return nil, err
	}
	if v.typefaces, err = newTypesetters(); err != nil {
		return nil, fmt.Errorf("view: %w", err)
	}
	for _, lang := range words.Languages() {
		v.countries[lang] = newCountryList(lang)
	}
	return v, nil
}

func (v *View) parsePages(fsys fs.FS) (map[string]map[phrase.Language]*template.Template, error) {
	pages := map[string]map[phrase.Language]*template.Template{}
	for _, name := range pageNames {
		pages[name] = map[phrase.Language]*template.Template{}
		for _, lang := range v.words.Languages() {
			page, err := template.New(name).Funcs(v.functions(lang)).Option("missingkey=error").
				ParseFS(fsys, "pages/layout.html", "pages/components.html", "pages/"+name+".html")
			if err != nil {
				return nil, fmt.Errorf("view: %w", err)
			}
			pages[name][lang] = page
		}
	}
	return pages, nil
}

// functions are what a template may call: t and n say phrases, the others
// answer addresses and formats.
func (v *View) functions(lang phrase.Language) template.FuncMap {
	return template.FuncMap{
		"t":      func(key string, args ...any) string { return v.say(lang, key, args...) },
		"n":      func(key string, n int, args ...any) string { return v.words.N(lang, key, n, args...) },
		"money":  func(a money.Amount) string { return a.Format(string(lang)) },
		"day":    func(day time.Time) string { return phrase.Date(lang, day) },
		"join":   func(lines []string) string { return strings.Join(lines, ", ") },
		"asset":  v.assets.url,
		"accent": accentURL,
	}
}

// say is Catalogue.T with amounts of money written as people who read lang write them.
func (v *View) say(lang phrase.Language, key string, args ...any) string {
	args = slices.Clone(args)
	for i, arg := range args {
		if amount, ok := arg.(money.Amount); ok {
			args[i] = amount.Format(string(lang))
		}
	}
	return v.words.T(lang, key, args...)
}

// mend says what to do about a bad field.
func (v *View) errorText(lang phrase.Language, f fault.Field) string {
	if !v.words.Has(f.Phrase) {
		return v.words.T(lang, "give.error.check")
	}
	args := make([]any, 0, 2*len(f.Args))
	for name, value := range f.Args {
		args = append(args, name, value)
	}
	return v.say(lang, f.Phrase, args...)
}

// page renders the named page whole.
func (v *View) page(name string, lang phrase.Language, data any) ([]byte, error) {
	page, ok := v.pages[name][lang]
	if !ok {
		page = v.pages[name][phrase.English]
	}
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, "layout", data); err != nil {
		return nil, fmt.Errorf("view: %w", err)
	}
	return b.Bytes(), nil
}

func (v *View) write(w io.Writer, name string, lang phrase.Language, data any) error {
	html, err := v.page(name, lang, data)
	if err != nil {
		return err
	}
	_, err = w.Write(html)
	return err
}
