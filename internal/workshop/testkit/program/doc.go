// Package program builds the whole program for a test in one process, through app as cmd/konbit does, around real
// things: a PostgreSQL database of its own, the stand-in for Stripe over HTTP, an SMTP server that stores what it
// receives, and the web server.
//
// Nothing runs in the background unless a test asks for it: a test delivers webhooks and applies events one by one,
// or starts the workers. Only tests import this package.
package program
