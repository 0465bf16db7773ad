package visitor

import (
	"html"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// Form is a form of a page as a browser has it: only its own fields can be filled in.
type Form struct {
	url.Values        // what a browser posts
	Action     string // empty: the address of the page
	t          testing.TB
	names      map[string]bool
}

var (
	formElement = regexp.MustCompile(`(?s)<form\b([^>]*)>(.*?)</form>`)
	control     = regexp.MustCompile(`(?s)<input\b([^>]*)>|<textarea\b([^>]*)>(.*?)</textarea>|<select\b([^>]*)>(.*?)</select>`)
	option      = regexp.MustCompile(`<option\b([^>]*)>`)
	attribute   = regexp.MustCompile(`\s([a-z-]+)(?:="([^"]*)")?`)
)

func attributes(tag string) map[string]string {
	all := map[string]string{}
	for _, a := range attribute.FindAllStringSubmatch(tag, -1) {
		all[a[1]] = html.UnescapeString(a[2])
	}
	return all
}

func has(tag map[string]string, name string) bool {
	_, found := tag[name]
	return found
}

// FormOn returns the form of a page whose hidden field name has a value.
func FormOn(t testing.TB, page, name, value string) Form {
	t.Helper()
	for _, element := range formElement.FindAllStringSubmatch(page, -1) {
		f := Form{Values: url.Values{}, Action: attributes(element[1])["action"], t: t, names: map[string]bool{}}
		for _, c := range control.FindAllStringSubmatch(element[2], -1) {
			f.add(c)
		}
		if f.Get(name) == value {
			return f
		}
	}
	require.FailNow(t, "no form", "with %s=%s on %s", name, value, page)
	return Form{}
}

// add adds a control of a form: its whole element, and the attributes and contents of input, textarea and select.
func (f Form) add(c []string) {
	tag := attributes(c[1] + c[2] + c[4])
	name, value := tag["name"], tag["value"]
	if name == "" || has(tag, "disabled") {
		return
	}
	f.names[name] = true
	switch {
	case c[2] != "":
		value = html.UnescapeString(c[3])
		if len(value) > 0 && value[0] == '\n' { // HTML ignores a line's end after the tag
			value = value[1:]
		}
	case c[4] != "":
		for i, found := range option.FindAllStringSubmatch(c[5], -1) {
			if o := attributes(found[1]); i == 0 || has(o, "selected") {
				value = o["value"]
			}
		}
	case (tag["type"] == "radio" || tag["type"] == "checkbox") && !has(tag, "checked"):
		return
	}
	f.Add(name, value)
}

// Fill types values into fields, given as name and value in turn. The test fails if the form has no such field.
func (f Form) Fill(values ...string) Form {
	f.t.Helper()
	for i := 0; i < len(values); i += 2 {
		require.True(f.t, f.names[values[i]], "the form has no field %s, but %v", values[i], f.names)
		f.Set(values[i], values[i+1])
	}
	return f
}
