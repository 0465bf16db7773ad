// Package localpg runs a private PostgreSQL (15 or newer) for the demo and the tests, from the binaries this machine has.
//
// It owns the life of one cluster:
//
//	(no directory) ──initdb──▶ stopped ──Start──▶ running ──Stop, or the end of the launching process──▶ stopped
//
// A cluster listens on a Unix socket in a short private directory and on no network address; that directory's mode is what keeps
// other users of the machine out. As root the server runs under the user postgres, or nobody where there is no postgres.
//
// A /bin/sh supervisor stands between us and the server and reads a pipe whose only writer is the launching process. However that
// process ends, SIGKILL included, the pipe ends with it and the supervisor stops the server.
//
// It never deletes or upgrades data: a directory of another major version, or one that is in use, is an error. Only a temporary
// cluster (no DataDir) goes when it stops.
package localpg
