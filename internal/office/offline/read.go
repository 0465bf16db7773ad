package offline

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/phrase"
)

var separators = regexp.MustCompile(`\s*(?:[,;&+/]|\band\b|\by\b)\s*`)

// Counters returns the names of those who counted cash, each once.
func Counters(text string) (names []string) {
	for _, name := range separators.Split(text, -1) {
		name = strings.TrimSpace(name)
		if name != "" && !slices.ContainsFunc(names, func(other string) bool { return strings.EqualFold(other, name) }) {
			names = append(names, name)
		}
	}
	return names
}

var dayForms = []*regexp.Regexp{
	regexp.MustCompile(`^(?P<y>\d{4})-(?P<a>\d{1,2})-(?P<b>\d{1,2})$`),
	regexp.MustCompile(`^(?P<a>\d{1,2})[/.-](?P<b>\d{1,2})(?:[/.-](?P<y>\d{4}|\d{2}))?$`),
}

// ReadDay reads a day as people type it: 2026-10-28, 10/28/2026, 10/28/26 or 10/28, which is the last one not after the day
// given. Where both could be the month, English puts the month first, and others have to type the first form.
func ReadDay(text string, notAfter ledger.Date, lang phrase.Language) (d ledger.Date, ok bool) {
	for i, form := range dayForms {
		found := form.FindStringSubmatch(text)
		if found == nil {
			continue
		}
		part := func(name string) int {
			n, _ := strconv.Atoi(found[form.SubexpIndex(name)])
			return n
		}
		y, month, day := part("y"), part("a"), part("b")
		if i > 0 && (month > 12 || lang != phrase.English) {
			if lang != phrase.English && month <= 12 && day <= 12 && month != day {
				return d, false
			}
			if month > 12 {
				month, day = day, month
			}
		}
		if y > 0 && y < 100 {
			y += 2000
		}
		for _, year := range []int{cmp.Or(y, notAfter.Year), cmp.Or(y, notAfter.Year-1)} {
			at := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
			if d = ledger.DateOf(at, time.UTC); d.Day != day || int(d.Month) != month {
				continue
			}
			if y > 0 || !at.After(notAfter.In(time.UTC)) {
				return d, true
			}
		}
	}
	return ledger.Date{}, false
}

var isAccount = regexp.MustCompile(`^[a-z0-9-]{1,63}$`)

// IsAccount reports whether a text can be the slug of a bank account.
func IsAccount(slug string) bool { return isAccount.MatchString(slug) }
