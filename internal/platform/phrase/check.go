package phrase

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// entry is a key without its plural form, and the forms that a language has for it.
type entry struct {
	forms map[form]words // the form is "" for a phrase without plural
}

// check reports the problems of all languages at once:
//
//   - keys that English has and a language lacks
//   - keys that a language has and English lacks
//   - plural forms that its grammar needs and it lacks, or that its grammar does not have
//   - placeholders that differ from the English ones; a form other than #other may omit some ("one thing" needs no {n})
func (c *Catalogue) check() error {
	if c.words[English] == nil {
		return errors.New("phrase: there is no English catalogue")
	}
	measure := entries(c.words[English])
	var problems []error
	for _, lang := range c.Languages() {
		own := entries(c.words[lang])
		for _, key := range slices.Sorted(maps.Keys(measure)) {
			if _, ok := own[key]; !ok {
				problems = append(problems, fmt.Errorf("phrase: %s: %s is missing", lang, key))
			}
		}
		for _, key := range slices.Sorted(maps.Keys(own)) {
			want, ok := measure[key]
			if !ok {
				problems = append(problems, fmt.Errorf("phrase: %s: %s is not in English", lang, key))
				continue
			}
			for _, problem := range own[key].compare(lang, want) {
				problems = append(problems, fmt.Errorf("phrase: %s: %s: %s", lang, key, problem))
			}
		}
	}
	return errors.Join(problems...)
}

func entries(all map[string]words) map[string]entry {
	grouped := map[string]entry{}
	for key, w := range all {
		base, suffix, _ := strings.Cut(key, "#")
		if grouped[base].forms == nil {
			grouped[base] = entry{forms: map[form]words{}}
		}
		grouped[base].forms[form(suffix)] = w
	}
	return grouped
}

func (e entry) compare(lang Language, want entry) (problems []string) {
	needed := []form{""}
	if _, plain := want.forms[""]; !plain {
		needed = lang.data().forms
	}
	for _, f := range needed {
		if _, ok := e.forms[f]; !ok {
			problems = append(problems, fmt.Sprintf("form %q is missing", f))
		}
	}
	measure := want.widest().names()
	for _, f := range slices.Sorted(maps.Keys(e.forms)) {
		if !slices.Contains(needed, f) {
			problems = append(problems, fmt.Sprintf("form %q is not one of %s", f, lang.Name()))
		}
		names := e.forms[f].names()
		if f == one {
			maps.DeleteFunc(names, func(name string, _ bool) bool { return measure[name] })
			if len(names) > 0 {
				problems = append(problems, fmt.Sprintf("unknown placeholders %v", list(names)))
			}
		} else if !maps.Equal(names, measure) {
			problems = append(problems, fmt.Sprintf("placeholders %v, in English %v", list(names), list(measure)))
		}
	}
	return problems
}

// widest returns the plural form that contains all placeholders.
func (e entry) widest() words {
	if w, ok := e.forms[""]; ok {
		return w
	}
	return e.forms[other]
}

func list(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
