package web

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// maxTyped is the longest text that a page gives back, in characters.
const maxTyped = 8000

// typedLabels are the phrases of the labels of fields that people type into, in the order in which a page gives them back. A field that is
// not here or in typedParts is never given back: secrets, codes, tokens, hashes, files, and choices, whose values are no words.
var typedLabels = []struct{ name, phrase string }{
	{"donor", "office.batch.field.donor"}, {"first_name", "office.field.first_name"}, {"last_name", "office.field.last_name"},
	{"name", "office.field.name"}, {"organisation_name", "office.donors.field.organisation_name"}, {"organisation", "office.batch.field.organisation"},
	{"email", "office.field.email"}, {"phone", "office.donors.field.phone"},
	{"address_line1", "office.donors.field.address_line1"}, {"address_line2", "office.donors.field.address_line2"}, {"city", "office.donors.field.city"},
	{"region", "office.donors.field.region"}, {"postal_code", "office.donors.field.postal_code"},
	{"received_on", "office.batch.field.received_on"}, {"count", "office.batch.field.count"}, {"total", "office.batch.field.total"},
	{"amount", "office.batch.field.amount"}, {"number", "office.batch.field.number"}, {"postmarked_on", "office.batch.field.postmarked_on"},
	{"in_return", "office.batch.field.in_return"}, {"in_return_value", "office.batch.field.in_return_value"},
	{"counted_by", "office.batch.field.counted_by"}, {"soft_credit", "office.batch.field.soft_credit"},
	{"reason", "office.donors.field.reason"}, {"why", "office.donors.field.reason"}, {"note", "office.batch.field.note"}, {"text", "office.field.text"},
}

// choicesOf are phrases of the values of fields that are a choice in one form and a text in another.
var choicesOf = map[string]string{"reason": "office.refund.reason."}

// slug matches the slug of an organisation, which is a choice.
var slug = regexp.MustCompile(`^[a-z0-9-]*$`)

// typedPart matches the name of the field of a fund's amount.
var typedPart = regexp.MustCompile(`^(?:part|split)\[([a-z0-9-]{1,60})\]$`)

// TypedText returns what was typed into a form that is not accepted, a line for each field with its label, so that the page that answers it
// can give it back. It is in no other page, because nothing is stored.
func TypedText(r *http.Request, v *view.View, lang phrase.Language) string {
	if r.Method != http.MethodPost || r.ParseForm() != nil || r.PostForm.Has("password") {
		return "" // whoever signs in types it again
	}
	var lines []string
	add := func(label, text string) {
		text = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", ""))
		if text != "" {
			lines = append(lines, strings.TrimRight(label, ":?. ")+": "+text)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.PostForm)) {
		if part := typedPart.FindStringSubmatch(name); part != nil {
			add(v.Phrase(lang, "office.batch.field.amount")+" ("+part[1]+")", r.PostForm.Get(name))
		}
	}
	for _, field := range typedLabels {
		text := r.PostForm.Get(field.name)
		if choices := choicesOf[field.name]; choices != "" && v.HasPhrase(choices+text) {
			text = v.Phrase(lang, choices+text)
		}
		if field.name == "organisation" && slug.MatchString(text) {
			continue // a choice
		}
		add(v.Phrase(lang, field.phrase), text)
	}
	all := []rune(strings.Join(lines, "\n"))
	return string(all[:min(len(all), maxTyped)])
}
