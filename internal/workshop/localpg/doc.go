// Package localpg runs a private PostgreSQL (15 or newer) for the demo and the tests, from the binaries this machine has.
//
// It owns the life of one cluster:
//
//	(no directory) ──initdb──▶ stopped ──Start──▶ running ──Stop, or the end of the launching process──▶ stopped
//
// A cluster listens on a Unix socket in a short private directory and on no network address; that directory's mode is what keeps
// other users of the machine out. As root the server runs under the user postgres, or nobody where there is no postgres.
//
// However the launching process ends, SIGKILL included, the server ends with it (package tether).
//
// It never upgrades data, nor deletes any except by Remove: a directory of another major version, or one that is in use, is an
// error. Only a temporary cluster (no DataDir) goes when it stops.
package localpg
