// Package house puts the rooms of Konbit together in one process, as cmd/konbit does, around real things: a PostgreSQL database of
// the test's own, the Stripe stand-in over HTTP, an SMTP server that keeps what it receives, and the web server itself.
//
// Nothing works in the background unless asked: a test delivers webhooks and drains them one by one, or starts the workers. It is
// imported by tests only.
package program
