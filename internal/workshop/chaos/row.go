package chaos

import (
	"cmp"
	"errors"
	"fmt"
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
	// For the rows that kill servers while people give; zero values are the row's own.
	Mode      Mode
	Donations int // to each Konbit
	Replicas  int // servers of each Konbit
}

// Mode is which half of a promise to prove.
type Mode string

// Safety: while faults blow, what must never be is not there. Liveness: when they end, all comes to its end. Empty: both.
const (
	Safety   Mode = "safety"
	Liveness Mode = "liveness"
)

// Check tells what in a run makes no sense.
func (r Run) Check() error {
	switch {
	case r.Mode != "" && r.Mode != Safety && r.Mode != Liveness:
		return fmt.Errorf("no mode is called %q; there are %s and %s", r.Mode, Safety, Liveness)
	case r.Replicas < 0 || r.Donations < 0:
		return errors.New("numbers of servers and gifts are not below zero")
	}
	return nil
}

func (r Run) safety() bool   { return r.Mode != Liveness }
func (r Run) liveness() bool { return r.Mode != Safety }

func (r Run) servers() int { return cmp.Or(r.Replicas, 2) }

var rows []Row

// register puts a row on the list; each row's file does so.
func register(r Row) { rows = append(rows, r) }

// Rows are all there are, by name.
func Rows() []Row {
	return slices.SortedFunc(slices.Values(rows), func(a, b Row) int { return cmp.Compare(a.Name, b.Name) })
}
