// Package localpg runs a private PostgreSQL (15 or newer) for the demo and the tests, from the binaries this machine
// has.
//
// It owns the life of one cluster:
//
//	(no directory) ──initdb──▶ stopped ──Start──▶ running ──Stop, or the end of the launching process──▶ stopped
//
// A cluster listens on a Unix socket in a short private directory and on no network address. The mode of that directory
// keeps other users of the machine out. If the launching process is root, the server runs as the user postgres, or as
// nobody if there is no postgres.
//
// When the launching process ends, even by SIGKILL, the server ends too (package tether).
//
// Clusters of tests are in memory (see NewTempDir) and are deleted when they stop. Other data is deleted only by
// Remove. Data is never upgraded: Start reports an error if a directory belongs to another major version or is in use.
package localpg
