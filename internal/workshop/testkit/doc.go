// Package testkit gives tests the real things: a PostgreSQL database of their own, a browser, an accessibility judge, and a clock
// that moves when told to.
//
// What is missing on the machine fails the test with the line that mends it; nothing is skipped. It is imported by tests only.
package testkit
