package testkit

import "testing"

// SkipIfShort skips the test under `go test -short`, which runs only what needs no database, browser, server process or go command.
// needs names what the test needs. DB, NewCluster and Browser call it; a test that starts such a thing by itself calls it first.
func SkipIfShort(t testing.TB, needs string) {
	t.Helper()
	if testing.Testing() && testing.Short() { // cmd/chaos and cmd/bench use the kit outside go test, where Short panics
		t.Skip("-short: needs " + needs)
	}
}
