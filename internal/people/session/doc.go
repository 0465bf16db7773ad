// Package session owns the sessions of people who sign in: the secret in the cookie, the hash that is stored, when a
// session ends, and the token that protects its forms.
//
//	open ──┬── ended by the person, on one device or on all
//	       ├── ended because its person changed (an email address was linked to somebody else)
//	       ├── idle: no request for Limits.IdleTimeout
//	       └── too old: Limits.MaxLifetime after it was opened
//
// Each kind of person has its own table and its own Kind value, so a donor's cookie never opens pages for staff. To
// add a kind:
//
//  1. a migration creates its table (at least id, person_id, token_hash, opened_at, seen_at, ended_at),
//  2. a file beside donor.go implements the interface table, with each statement as a constant,
//  3. a function returns its Kind: purpose, limits and table.
//
// The secret is 256 random bits; the table holds its SHA-256 hash, so a copy of the database opens no session. The
// table is our own and not a session library's: such a library stores arbitrary values under a token, and we need "all
// sessions of a person" and "all sessions that this address opened". All times are the database's.
//
// Staff have sessions of their own kind in package staff, which the database's functions open and end: a session has two
// stages there. They share NewSecret and HashSecret.
//
// The package does not know how a person proves who they are; donoraccess decides that and calls OpenTx.
package session
