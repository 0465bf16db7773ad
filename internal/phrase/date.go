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
	words := lang.tongue()
	return strings.NewReplacer(
		"{day}", strconv.Itoa(day),
		"{month}", words.months[month-1],
		"{year}", strconv.Itoa(year),
	).Replace(words.date)
}
