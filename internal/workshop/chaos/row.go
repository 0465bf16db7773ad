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
	Name        string // one word, by which it is chosen
	No          string // number of the promise in PROMISES.md: "1"
	Promise     string // what must be true of each counted thing
	Short, Long int    // the number to reach in a test and in full
	// Prove does what run describes and ends the test if the promise is broken.
	Prove func(t testing.TB, run Run)
}

// Run describes how much of a row to prove.
type Run struct {
	Number  int
	Seed    uint64
	Reached func(more int) // called with the number proved since the last call, from any goroutine
	// Found records a measurement for the table: "slowest start", "640ms". It is called from any goroutine; a later
	// value of the same name replaces the earlier one.
	Found func(what, value string)
	// For the rows that kill servers while donors give. Zero values mean the row's own.
	Mode      Mode
	Donations int // to each Konbit
	Replicas  int // servers of each Konbit
}

// Mode is the half of a promise to prove.
type Mode string

// Safety: under faults, no invariant is broken. Liveness: after the faults, all work is completed. Empty: both.
const (
	Safety   Mode = "safety"
	Liveness Mode = "liveness"
)

// Check reports an error if a run's values make no sense.
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

// register adds a row to the list. Each row's file calls it.
func register(r Row) { rows = append(rows, r) }

// Rows returns all rows, sorted by name.
func Rows() []Row {
	return slices.SortedFunc(slices.Values(rows), func(a, b Row) int { return cmp.Compare(a.Name, b.Name) })
}
