package phrase

import (
	"strconv"
	"strings"
	"time"
)

// Date returns the day of t, in t's own location, as readers of lang write it in a text: "November 21, 2026", "21 de
// noviembre de 2026". The caller converts t to the organisation's time zone.
func Date(lang Language, t time.Time) string {
	year, month, day := t.Date()
	words := lang.data()
	number := strconv.Itoa(day)
	if day == 1 {
		number = words.first
	}
	return strings.NewReplacer("{day}", number, "{month}", words.months[month-1], "{year}", strconv.Itoa(year)).Replace(words.date)
}

// ShortDate returns the day of t, in t's own location, for a column of a table: "Nov 21, 2026", "21 nov 2026".
func ShortDate(lang Language, t time.Time) string {
	words := lang.data()
	month := []rune(words.months[t.Month()-1])
	return strings.NewReplacer("{day}", strconv.Itoa(t.Day()), "{month}", string(month[:min(len(month), 3)]), "{year}", strconv.Itoa(t.Year()),
		" de ", " ").Replace(words.date)
}

// Month returns the month of t, in t's own location: "November 2026", "noviembre de 2026".
func Month(lang Language, t time.Time) string {
	words := lang.data()
	pattern := strings.NewReplacer(" {day},", "", "{day} de ", "", "{day} ", "").Replace(words.date)
	return strings.NewReplacer("{month}", words.months[t.Month()-1], "{year}", strconv.Itoa(t.Year())).Replace(pattern)
}

// Calendar is the format of Date, for a script that writes dates itself: browsers do not know Haitian Creole.
type Calendar struct {
	Pattern string // with {day}, {month} and {year}
	First   string // the {day} of a month's first day
	Months  string // from January on, separated by commas
}

// Calendar returns the format of dates in the language; an unknown language has the English one.
func (l Language) Calendar() Calendar {
	words := l.data()
	return Calendar{words.date, words.first, strings.Join(words.months[:], ",")}
}
