package chaos

import (
	"cmp"
	"slices"
	"testing"
)

// A Row is a promise with a number to reach.
type Row struct {
	Name        string // of one word, to choose it by
	No          string // of the promise, where others count them: "1"
	Promise     string // what holds, of what is counted
	Short, Long int    // the number to reach in a test and in full
	// Prove does what run asks and ends the test when the promise does not hold.
	Prove func(t testing.TB, run Run)
}

// Run is how much of a row to prove.
type Run struct {
	Number  int
	Seed    uint64
	Reached func(more int) // told of every few that are proved; called from any goroutine
	// Found is told what was measured on the way, for the table: "slowest start", "640ms". Called from any goroutine; a later value
	// of the same name replaces the earlier.
	Found func(what, value string)
}

var rows []Row

// register puts a row on the list; each row's file does so.
func register(r Row) { rows = append(rows, r) }

// Rows are all there are, by name.
func Rows() []Row {
	return slices.SortedFunc(slices.Values(rows), func(a, b Row) int { return cmp.Compare(a.Name, b.Name) })
}
