package phrase

import (
	"strconv"
	"strings"
	"time"
)

// Date writes the day of t, in t's own location, as people who read lang write
// it in a letter: "November 21, 2026", "21 de noviembre de 2026". To bring t
// into an organisation's time zone is the caller's part.
func Date(lang Language, t time.Time) string {
	year, month, day := t.Date()
	words := lang.data()
	number := strconv.Itoa(day)
	if day == 1 {
		number = words.first
	}
	return strings.NewReplacer("{day}", number, "{month}", words.months[month-1], "{year}", strconv.Itoa(year)).Replace(words.date)
}

// Calendar is how Date writes, for a script that writes dates itself: browsers
// know no Haitian Creole.
type Calendar struct {
	Pattern string // with {day}, {month} and {year}
	First   string // the {day} of a month's first
	Months  string // from January on, with commas between
}

// Calendar of the language; an unknown one's is English.
func (l Language) Calendar() Calendar {
	words := l.data()
	return Calendar{words.date, words.first, strings.Join(words.months[:], ",")}
}
