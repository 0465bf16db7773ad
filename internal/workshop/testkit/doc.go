// Package testkit gives tests real dependencies: a PostgreSQL database for each test, a browser, an accessibility
// checker, and a clock that only the test moves.
//
// A test fails with the command that installs what is missing on the machine. Only `go test -short` skips tests. Only
// tests, cmd/chaos and cmd/bench import testkit.
package testkit
