// Package pgproxy is a proxy between a program and its PostgreSQL that makes the connection fail. With the same seed it
// repeats the same faults. It delays requests, closes connections, refuses or hangs, and drops the reply of a COMMIT,
// so that a committed transaction looks failed.
//
//	program ── Proxy ──(decides about each request and each COMMIT's reply)── PostgreSQL
//
// It speaks protocol 3 without encryption (sslmode=disable). Of the messages it reads only where each ends, what was
// committed, and whether that transaction changed a row. It delays nothing to which no fault applies.
package pgproxy
