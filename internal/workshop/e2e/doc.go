// Package e2e runs the whole of Konbit as in production and lets tests use it as people do: the real program in its own
// processes, a real PostgreSQL, the stand-in for Stripe over HTTP, a real mail server and a real browser.
//
// A Stack belongs to one test. It starts in about a second and ends with the test, so tests can run in parallel:
//
//	s := e2e.Start(t, e2e.Options{})
//	s.URL()                  the address of the form
//	s.Kill(); s.Restart()    kill -9 and start again, with the same address and database
//	s.StartServer(nil)       one more server on the same database
//	s.Konbit("ledger", "verify")
//	s.Stripe(), s.Mail(), s.DB   the other systems
//
// It contains no rule of Konbit and uses the program only through its commands, settings and addresses. Only tests,
// cmd/chaos and cmd/bench import it.
package e2e
