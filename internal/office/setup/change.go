package setup

import (
	"fmt"
	"strings"
)

// Change is one difference between the file and what was stored.
type Change struct {
	Subject string `json:"subject"`         // "fund csio/general"
	Verb    string `json:"verb,omitempty"`  // "created", "closed", "reopened", or "" for a field that changed
	Field   string `json:"field,omitempty"` // "name es"
	Before  string `json:"before,omitempty"`
	After   string `json:"after,omitempty"`
}

func (c Change) String() string {
	if c.Verb != "" {
		return c.Subject + ": " + c.Verb
	}
	return fmt.Sprintf("%s: %s: %q → %q", c.Subject, c.Field, c.Before, c.After)
}

// Result lists what Apply changed or, in a dry run, would change.
type Result struct {
	Changes []Change `json:"changes"` // empty if the file was applied before
	Notices []string `json:"notices"` // organisations that are not in the file; Apply did not change them
}

// String returns the result as text: one line for each change and notice, each ending in a line break.
func (r Result) String() string {
	var b strings.Builder
	for _, c := range r.Changes {
		fmt.Fprintln(&b, c)
	}
	for _, n := range r.Notices {
		fmt.Fprintln(&b, n)
	}
	if len(r.Changes) == 0 {
		fmt.Fprintln(&b, "no change")
	}
	return b.String()
}

// difference collects the changes of one subject.
type difference struct {
	subject string
	changes []Change
}

func (d *difference) setVerb(verb string) {
	d.changes = append(d.changes, Change{Subject: d.subject, Verb: verb})
}

// field records a change if before and after differ as text.
func (d *difference) field(name string, before, after any) {
	if b, a := fmt.Sprint(before), fmt.Sprint(after); b != a {
		d.changes = append(d.changes, Change{Subject: d.subject, Field: name, Before: b, After: a})
	}
}

// words records a change for each language in which two texts differ.
func words[K ~string, M ~map[K]string](d *difference, name string, before, after M) {
	for _, l := range sortedKeys(before, after) {
		d.field(name+" "+string(l), before[l], after[l])
	}
}
