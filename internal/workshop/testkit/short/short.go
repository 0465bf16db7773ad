// Package short owns what `go test -short` leaves out: tests that need a database, a browser, a server process or the
// go command. It imports nothing of the module, so that every test can use it.
package short

import "testing"

// Skip skips the test under `go test -short`. needs names what the test needs.
func Skip(t testing.TB, needs string) {
	t.Helper()
	if testing.Testing() && testing.Short() { // cmd/chaos and cmd/bench use the kit outside go test, where Short panics
		t.Skip("-short: needs " + needs)
	}
}
