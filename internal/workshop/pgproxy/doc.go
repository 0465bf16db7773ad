// Package pgproxy stands between a program and its PostgreSQL and makes the connection fail, in ways a seed repeats: it delays
// requests, cuts connections, refuses or hangs, and swallows the reply of a COMMIT, so that what is committed looks failed.
//
//	program ── Proxy ──(decides over each request and each COMMIT's reply)── PostgreSQL
//
// It speaks protocol 3 without encryption (sslmode=disable) and knows of the messages only where one ends, what was committed, and
// whether that transaction changed a row. It holds nothing back that no fault falls on.
package pgproxy
