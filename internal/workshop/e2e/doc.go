// Package e2e boots the whole of Konbit as it runs in earnest and lets tests use it as people do: the real program in processes
// of its own, a real PostgreSQL, the stand-in for Stripe over HTTP, a real mail server and a real browser.
//
// A Stack is one test's own world, made in about a second and gone with the test, so tests run beside one another:
//
//	s := e2e.Start(t, e2e.Options{})
//	s.URL()                  where a browser gives
//	s.Kill(); s.Restart()    kill -9 and come back, on the same address and database
//	s.StartServer(nil)       one more server on the same database
//	s.Konbit("ledger", "verify")
//	s.Stripe(), s.Mail(), s.DB   the other side of each door
//
// It holds no rule of Konbit's and knows the program by its commands, settings and addresses alone.
// It is imported by tests only.
package e2e
