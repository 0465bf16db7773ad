package field

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"konbit/internal/books/ledger"
)

// Errors of Date.
var (
	ErrDate  = errors.New("field: not a date")
	ErrOrder = errors.New("field: not a date in this order of day and month")
)

// Order is the order in which dates of a file are written, where its numbers do not show it.
type Order string

// The orders. A year of four digits at the beginning, and a month with its name, need none of them.
const (
	MonthFirst Order = "mdy"
	DayFirst   Order = "dmy"
	YearFirst  Order = "ymd" // for years of two digits
)

// Orders is a set of orders.
type Orders uint8

// The sets of one order.
const (
	CanMonthFirst Orders = 1 << iota
	CanDayFirst
	CanYearFirst
	AnyOrder = CanMonthFirst | CanDayFirst | CanYearFirst
)

// Date reads a date and ignores a time after it. order decides only if the date has day and month as numbers and does not
// begin with a year of four digits; it may be "" where the numbers show it themselves.
func Date(text string, order Order) (ledger.Date, error) {
	p, ok := split(text)
	if !ok {
		return ledger.Date{}, ErrDate
	}
	if p.fixed {
		return p.date(0, 1, 2, ErrDate)
	}
	switch order {
	case MonthFirst:
		return p.date(2, 0, 1, ErrOrder)
	case DayFirst:
		return p.date(2, 1, 0, ErrOrder)
	case YearFirst:
		return p.date(0, 1, 2, ErrOrder)
	}
	month, noMonth := p.date(2, 0, 1, ErrOrder)
	day, noDay := p.date(2, 1, 0, ErrOrder)
	switch {
	case noMonth != nil:
		return day, noDay
	case noDay == nil && month != day:
		return ledger.Date{}, ErrOrder
	default:
		return month, noMonth
	}
}

// OrdersOf returns the orders in which a text is a date; none if it is no date.
func OrdersOf(text string) (orders Orders, ok bool) {
	p, ok := split(text)
	if !ok {
		return 0, false
	}
	if p.fixed {
		if _, err := p.date(0, 1, 2, ErrDate); err != nil {
			return 0, false
		}
		return AnyOrder, true
	}
	if _, err := p.date(2, 0, 1, ErrOrder); err == nil {
		orders |= CanMonthFirst
	}
	if _, err := p.date(2, 1, 0, ErrOrder); err == nil {
		orders |= CanDayFirst
	}
	if _, err := p.date(0, 1, 2, ErrOrder); err == nil && len(p.first) == 2 {
		orders |= CanYearFirst
	}
	return orders, orders != 0
}

// Same reports whether a date means the same day in both orders: 03/03/2026.
func Same(text string) bool {
	month, err := Date(text, MonthFirst)
	day, err2 := Date(text, DayFirst)
	return err == nil && err2 == nil && month == day
}

// parts are the three numbers of a date as they stand; if fixed, as year, month and day.
type parts struct {
	n     [3]int
	fixed bool
	first string
}

// date returns the date whose year, month and day stand at the given places.
func (p parts) date(year, month, day int, wrong error) (ledger.Date, error) {
	d := ledger.Date{Year: p.n[year], Month: time.Month(p.n[month]), Day: p.n[day]}
	if d.Year < 100 {
		d.Year += 2000
	}
	if !Valid(d) {
		return ledger.Date{}, wrong
	}
	return d, nil
}

// Valid reports whether the calendar has the day, in a year in which a bank's line may be.
func Valid(d ledger.Date) bool {
	const first, last = 1970, 2199
	return d.Year >= first && d.Year <= last && ledger.DateOf(d.In(time.UTC), time.UTC) == d
}

// split returns the numbers of a date. It reads "01/31/2026", "31.1.26", "2026-01-31T10:00:00", "20260131", "Jan 31, 2026",
// "31-Jan-26", "Sat 31 January 2026" and the like.
func split(text string) (parts, bool) {
	text = strings.TrimSpace(text)
	if len(text) < 6 || len(text) > 48 || strings.ContainsFunc(text, inNoDate) {
		return parts{}, false
	}
	words := tokens(text)
	if len(words) > 0 && weekday(words[0]) {
		words = words[1:]
	}
	if len(words) > 0 && len(words[0]) >= 8 && isDigits(words[0][:8]) {
		return compact(words[0])
	}
	if len(words) < 3 || len(words) > 3 && !isDigits(words[3][:1]) && !slices.Contains(atTime, strings.ToLower(words[3])) {
		return parts{}, false
	}
	return three(words)
}

// atTime are words between a date and its time.
var atTime = []string{"at", "t", "um", "as"}

// inNoDate reports whether a rune stands in no date.
func inNoDate(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-/., :+[]\t\u00a0", r)
}

// compact reads a date without separators, which the digits of a time may follow.
func compact(text string) (parts, bool) {
	if length := len(text); length != 8 && length != 12 && length != 14 {
		return parts{}, false
	}
	year, _ := strconv.Atoi(text[:4])
	month, _ := strconv.Atoi(text[4:6])
	day, _ := strconv.Atoi(text[6:8])
	return parts{n: [3]int{year, month, day}, fixed: true}, true
}

// three reads a date of three words, of which one may be a month's name.
func three(words []string) (p parts, ok bool) {
	named := -1
	for i, word := range words[:3] {
		if isDigits(word) && len(word) <= 4 {
			p.n[i], _ = strconv.Atoi(word)
			continue
		}
		month := monthOf(word)
		if month == 0 || named >= 0 {
			return p, false
		}
		p.n[i], named = month, i
	}
	p.first = words[0]
	year := len(words[0]) == 4 && isDigits(words[0])
	switch {
	case year: // 2026-01-31, 2026 Jan 31
		p.fixed = true
		return p, named <= 0 || named == 1
	case named == 0: // Jan 31 2026
		p.n, p.fixed = [3]int{p.n[2], p.n[0], p.n[1]}, true
	case named == 1: // 31 Jan 2026
		p.n, p.fixed = [3]int{p.n[2], p.n[1], p.n[0]}, true
	case named == 2:
		return p, false
	}
	return p, len(words[0]) <= 2 || named == 0
}

// tokens returns the words of a date, up to four. A separator is a sign or a space; the T of a time is one too.
func tokens(text string) (words []string) {
	start := -1
	kind := func(r rune) int {
		switch {
		case r >= '0' && r <= '9':
			return 1
		case unicode.IsLetter(r):
			return 2
		default:
			return 0
		}
	}
	last := 0
	for i, r := range text {
		now := kind(r)
		if now != last && start >= 0 {
			if word := text[start:i]; word != "T" && !strings.EqualFold(word, "de") {
				words = append(words, word)
			}
			start = -1
		}
		if now != 0 && start < 0 {
			start = i
		}
		if last = now; len(words) == 4 {
			return words
		}
	}
	if start >= 0 {
		words = append(words, text[start:])
	}
	return words
}

var months = [...][]string{
	{"jan", "ene"}, {"feb", "fev"}, {"mar"}, {"apr", "abr", "avr"}, {"may", "mai", "maj"}, {"jun"}, {"jul"}, {"aug", "ago", "aou"},
	{"sep", "set"}, {"oct", "out", "okt"}, {"nov"}, {"dec", "dic", "dez"},
}

// monthOf returns the month with this name, 0 if there is none. The first three letters decide.
func monthOf(word string) int {
	word = strings.ToLower(word)
	for i, names := range months {
		for _, name := range names {
			if strings.HasPrefix(word, name) && len(word) <= len("septiembre") {
				return i + 1
			}
		}
	}
	return 0
}

func weekday(word string) bool {
	word = strings.ToLower(word)
	for _, name := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		if strings.HasPrefix(word, name) {
			return true
		}
	}
	return false
}
