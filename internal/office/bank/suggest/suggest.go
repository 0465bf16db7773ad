// Package suggest proposes which open items of ours a line of the bank may be, with reasons. It chooses nothing and reads no table.
package suggest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bank"
)

// Reason is why an item is suggested for a line. Its values are phrase keys after office.bank.reason.
type Reason string

// The reasons, the strongest first.
const (
	SameAmount Reason = "amount"
	SameNumber Reason = "number" // its check or reference number is in the line
	SameText   Reason = "text"   // words of it are in the line
	SameDays   Reason = "days"   // the line is within its days
	Alone      Reason = "alone"  // no other line and no other item has the amount
	Together   Reason = "sum"    // several items of one kind and week come to the line
)

var weights = map[Reason]int{SameAmount: 0, SameNumber: 16, SameText: 8, SameDays: 4, Alone: 2}

// Candidate is what a line may be, and why.
type Candidate struct {
	Items   []bank.Item // one, or several that come to the line
	Reasons []Reason
	score   int
}

// Suggestion is what the open items of an account offer for a line.
type Suggestion struct {
	Line       bank.Line
	Candidates []Candidate // the best first, at most five
	Sure       bool        // the first one is better than every other, and is the best of no other line: it may be accepted with others after a look
}

// maxCandidates is how many candidates of a line are returned.
const maxCandidates = 5

// maxSum is how many open items of one kind and week are tried for sums.
const maxSum = 40

// For returns a suggestion for each line, in the order given. An item is a candidate if it has the amount of the line. Better is whose
// number is in the line, then whose words, then whose days are right (from one bank day before the item's day to five after), then what is alone at its
// amount. Two equal candidates are both returned, and neither is sure. Where no item has the amount, the open items of one kind within a week
// are tried together: at most 40, and only if exactly one choice of them comes to it.
func For(lines []bank.Line, items []bank.Item) []Suggestion {
	byAmount, linesAt := map[int64][]int{}, map[int64]int{}
	for i, item := range items {
		byAmount[item.Amount] = append(byAmount[item.Amount], i)
	}
	for _, l := range lines {
		linesAt[l.Amount]++
	}
	all, claimed := make([]Suggestion, len(lines)), map[string]int{}
	weeks := groupsOf(items)
	words := wordsOfItems(items)
	for i, l := range lines {
		all[i].Line = l
		text := newLineWords(l)
		for _, at := range byAmount[l.Amount] {
			all[i].Candidates = append(all[i].Candidates, judge(l, text, items[at], words[at], linesAt[l.Amount] == 1 && len(byAmount[l.Amount]) == 1))
		}
		if len(all[i].Candidates) == 0 {
			all[i].Candidates = sums(l, weeks)
		}
		slices.SortStableFunc(all[i].Candidates, func(a, b Candidate) int { return cmp.Compare(b.score, a.score) })
		all[i].Sure = isSure(all[i].Candidates)
		if all[i].Sure {
			claimed[nameOf(all[i].Candidates[0])]++
		}
		all[i].Candidates = all[i].Candidates[:min(len(all[i].Candidates), maxCandidates)]
	}
	for i := range all {
		all[i].Sure = all[i].Sure && claimed[nameOf(all[i].Candidates[0])] == 1
	}
	return all
}

// isSure reports whether the first candidate is better than the second and has a reason besides its amount.
func isSure(c []Candidate) bool {
	switch {
	case len(c) == 0 || len(c[0].Items) > 1 || c[0].score == 0:
		return false
	case len(c) == 1:
		return slices.Contains(c[0].Reasons, SameDays) || slices.Contains(c[0].Reasons, SameNumber)
	}
	return c[0].score > c[1].score && c[0].score&^c[1].score > 3
}

func nameOf(c Candidate) string {
	names := make([]string, len(c.Items))
	for i, item := range c.Items {
		names[i] = item.Name()
	}
	return strings.Join(names, " ")
}

// judge returns an item of the amount of a line as a candidate.
func judge(l bank.Line, text lineWords, item bank.Item, words []string, alone bool) Candidate {
	c := Candidate{Items: []bank.Item{item}, Reasons: []Reason{SameAmount}}
	add := func(r Reason, holds bool) {
		if holds {
			c.Reasons, c.score = append(c.Reasons, r), c.score+weights[r]
		}
	}
	number := strings.TrimLeft(strings.ToLower(item.Number), "0")
	add(SameNumber, number != "" && text.has(number))
	add(SameText, slices.ContainsFunc(words, text.has))
	add(SameDays, withinDays(item.On, l.BookedOn))
	add(Alone, alone)
	return c
}

// lineWords are the words of a line, in lower case, numbers without leading zeros.
type lineWords map[string]bool

func newLineWords(l bank.Line) lineWords {
	words := lineWords{}
	for _, w := range splitWords(l.Text + " " + l.Reference) {
		words[w] = true
		words[strings.TrimLeft(w, "0")] = true
	}
	delete(words, "")
	return words
}

func (w lineWords) has(word string) bool { return w[word] }

// common are words that say nothing of who paid.
var common = map[string]bool{"the": true, "and": true, "for": true, "inc": true, "llc": true, "fund": true, "bank": true, "payment": true, "deposit": true,
	"transfer": true, "check": true, "from": true, "online": true, "ach": true, "credit": true, "debit": true}

// wordsOfItems returns the words of three letters or more of each item.
func wordsOfItems(items []bank.Item) [][]string {
	all := make([][]string, len(items))
	for i, item := range items {
		all[i] = slices.DeleteFunc(splitWords(item.Text), func(w string) bool { return len([]rune(w)) < 3 || common[w] })
	}
	return all
}

func splitWords(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// withinDays reports whether a bank books an item of a day on another one: from one bank day before to five after.
func withinDays(of, on ledger.Date) bool {
	if of == (ledger.Date{}) {
		return false
	}
	return !day(on).Before(bankDays(day(of), -1)) && !day(on).After(bankDays(day(of), 5))
}

func day(d ledger.Date) time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// bankDays returns the day that is so many bank days after a day.
func bankDays(t time.Time, n int) time.Time {
	step := 1
	if n < 0 {
		step = -1
	}
	for n != 0 {
		t = t.AddDate(0, 0, step)
		if IsBankDay(t) {
			n -= step
		}
	}
	return t
}

// IsBankDay reports whether banks of the United States book on a day: not on Saturdays, Sundays and the holidays of the Federal Reserve.
func IsBankDay(t time.Time) bool {
	if weekday := t.Weekday(); weekday == time.Saturday || weekday == time.Sunday {
		return false
	}
	nth := (t.Day()-1)/7 + 1
	last := t.AddDate(0, 0, 7).Month() != t.Month()
	fixed := func(month time.Month, d int) bool {
		holiday := time.Date(t.Year(), month, d, 0, 0, 0, 0, time.UTC)
		return t.Month() == month && t.Day() == d || holiday.Weekday() == time.Sunday && t.Month() == month && t.Day() == d+1
	}
	switch {
	case fixed(time.January, 1), fixed(time.June, 19), fixed(time.July, 4), fixed(time.November, 11), fixed(time.December, 25):
		return false
	case t.Weekday() == time.Monday:
		m := t.Month()
		return !((m == time.January || m == time.February) && nth == 3 || m == time.May && last ||
			m == time.September && nth == 1 || m == time.October && nth == 2)
	case t.Weekday() == time.Thursday:
		return t.Month() != time.November || nth != 4
	}
	return true
}

// week is open items of one kind within seven days.
type week struct{ items []bank.Item }

// groupsOf returns the items of each kind in groups of a calendar week with more than one item.
func groupsOf(items []bank.Item) (groups []week) {
	type key struct {
		kind       string
		year, week int
		in         bool
	}
	all := map[key][]bank.Item{}
	for _, item := range items {
		year, number := day(item.On).ISOWeek()
		k := key{item.Kind, year, number, item.Amount > 0}
		all[k] = append(all[k], item)
	}
	keys := slices.SortedFunc(maps.Keys(all), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.year, b.year), cmp.Compare(a.week, b.week))
	})
	for _, k := range keys {
		if n := len(all[k]); n > 1 && n <= maxSum {
			groups = append(groups, week{all[k]})
		}
	}
	return groups
}

// sums returns the one choice of items of a week that comes to a line, if there is exactly one.
func sums(l bank.Line, weeks []week) []Candidate {
	var found []Candidate
	for _, w := range weeks {
		first := w.items[0]
		if (first.Amount > 0) != (l.Amount > 0) || !slices.ContainsFunc(w.items, func(i bank.Item) bool { return withinDays(i.On, l.BookedOn) }) {
			continue
		}
		chosen, ways := subset(w.items, l.Amount)
		if ways == 1 {
			found = append(found, Candidate{Items: chosen, Reasons: []Reason{Together, SameDays}, score: 1})
		}
	}
	if len(found) > 1 {
		return nil
	}
	return found
}
