package chaos

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// A Row is a promise with a number of things to count.
type Row struct {
	Name        string // one word, chosen on the command line
	No          string // number of the promise in PROMISES.md: "1"
	Promise     string // what must be true of each counted thing
	Short, Long int    // how many things a test and a full run count
	// Prove runs the row and fails the test if the promise is broken.
	Prove func(t testing.TB, run Run)
	// NeedsPrevious is true if the row runs the program of the previous release: it needs Run.Previous.
	NeedsPrevious bool
}

// Run describes how much of a row to run.
type Run struct {
	Count    int
	Seed     uint64
	Progress func(more int) // called with the number counted since the last call, from any goroutine
	// Record stores a measurement for the table: "slowest start", "640ms". It is called from any goroutine. A
	// later value of the same name replaces the earlier one.
	Record func(what, value string)
	// For the rows that kill servers while donors give. A zero value means the row's default.
	Mode      Mode
	Donations int // for each Konbit
	Replicas  int // servers of each Konbit

	Previous string // path of the previous release's program, for rows that need it
}

// Mode is the half of a promise to test.
type Mode string

// Safety: under faults, no invariant is broken. Liveness: after the faults, all work is completed. Empty: both.
const (
	Safety   Mode = "safety"
	Liveness Mode = "liveness"
)

// Check reports an error if a value is invalid.
func (r Run) Check() error {
	switch {
	case r.Mode != "" && r.Mode != Safety && r.Mode != Liveness:
		return fmt.Errorf("no mode is called %q; there are %s and %s", r.Mode, Safety, Liveness)
	case r.Replicas < 0 || r.Donations < 0:
		return errors.New("the numbers of servers and gifts must not be negative")
	}
	return nil
}

func (r Run) safety() bool   { return r.Mode != Liveness }
func (r Run) liveness() bool { return r.Mode != Safety }

func (r Run) servers() int { return cmp.Or(r.Replicas, 2) }

var rows []Row

// register adds a row to the list. Each row's file calls it.
func register(r Row) { rows = append(rows, r) }

// Rows returns all rows, sorted by name.
func Rows() []Row {
	return slices.SortedFunc(slices.Values(rows), func(a, b Row) int { return cmp.Compare(a.Name, b.Name) })
}
