// Package staff owns the people who work with the program: who they are, which roles they hold, how they prove who they
// are, and their sessions. Package donoraccess does this for donors; no cookie of one opens pages of the other.
//
//	invited ── link, once, 24 h ──▶ session of stage first ── passkey, or password and code ──▶ full, recovery codes shown once
//	                                                                                             │
//	sign-in ── passkey ────────────────────────────────────────────────────────────────────────▶ full
//	        └─ password and code (or a recovery code) ──────────────────────────────────────────▶ full
//
//	full ──┬── ended by the person, by an admin, by the operator
//	       ├── ended because a role or a factor changed, or the person was disabled (triggers)
//	       ├── idle for 60 minutes, or 12 hours old
//	       └── surplus: the sixth session ends the one unused for longest
//
// The database decides, not this package. Migration 00120 has the tables and the functions that change them. Each function
// reads the session itself, from the setting konbit.staff_session of the transaction (InTx sets it), and checks what the
// person may do. What the database cannot check is a signature of a passkey: this package checks it and stores the answer, and
// it can be checked again from the public key. So whoever holds the password of the server's role can make an answer up, and
// act in somebody's name by it, until VerifyAnswer finds it. With each passkey and app is stored what allowed to set it up,
// which VerifyPasskeys follows, so that a key that was added by such an answer is found too. A code, and a link that the
// server emailed, prove nothing against who holds the database.
//
// # Factors
//
// Acts that grant something or move money need a factor that was used in the last five minutes. A form asks for it in place:
//
//   - code: of an authenticator app. The database compares it; nobody but the owner of the tables reads the secret. Each
//     code is accepted once.
//   - assertion: the answer of a passkey to a challenge, which is the hash of the act's text and a nonce. A challenge is
//     valid once, for five minutes, in one session, for one act.
//
// A recovery code opens a session too, in place of the code, and the session may set up a new factor. It is no factor for
// acts.
//
// # Roles
//
// A role is held in a scope: a legal entity with all its organisations, or one organisation. Nobody changes a role of their
// own. Where a scope has another admin, that one approves each change. The last admin of a scope stays.
//
// # Emergency access
//
// If no admin can sign in, the operator makes an emergency access (break-glass) as the owner of the tables: a link valid for
// 15 minutes opens a session of an hour, which reads every page and no file, ends roles and grants the role admin alone, and
// uses no factor. All admins and the auditors are told at once, and a task of each entity stays open until its finance closes it.
//
// All times are the database's. The package sends no email: it enqueues EmailJob, and package mail sends it.
package staff
