// Package donoraccess owns how donors sign in: the emails that prove an address, and the addresses that belong to one
// person. Package session owns the sessions that follow.
//
//	requested ── email with a link and a code ──┬── link, confirmed in the browser that requested it ──┬── used: a session
//	    │                                       └── code, typed in any browser ──────────────────────┘
//	    └── expired: after ten minutes, or when another one was used
//
// Every request gets the same answer after the same work, whether the address is known or not: one row and one job.
// The job makes the link's secret and the code when it writes the email, and only the email ever contains them; the
// table holds hashes. A scanner that opens the link, runs its script and submits its form lacks the cookie of the
// browser that requested the email, so it does not use the link up.
//
// Guesses of a code are counted. The browser that requested it has a few guesses of its own. All other browsers
// together have a few an hour for an address, so guessing neither succeeds nor locks out the reader of the email.
//
// Emails are limited for each mailbox, but strangers cannot use up what its reader needs: a browser in which the
// mailbox was proved before has a limit of its own, and beyond the limit each network still gets an email every quarter
// of an hour, at most twenty an hour in all. Beyond that, and for people behind one address who use up its limit, there is
// the challenge of package guard. A network in which the mailbox was proved before has four emails an hour by it that no
// other network uses up. One mailbox never gets more than sixty emails an hour (Standard).
//
// A newer request voids no earlier one. So an email that comes late still opens a session.
//
// A person is the set of addresses that were proved to belong together, and nothing else.
//
//   - An address is linked by proving it inside a session.
//   - An address that is unlinked returns to the person who had it before.
//   - Donations are found by their address (package donor). So a donation belongs to the person who reads that mailbox,
//     and no person can assign it to another person.
//   - A person chooses to which of the addresses all emails go. The choice is about addresses: Destination(a) is the
//     chosen address of the person who has a.
//   - A person who lost a mailbox cannot prove it. An operator vouches for them; they prove the new address (Move).
//   - After each change an email tells all addresses of both persons.
//
// All times are the database's. The package sends no email and does not know donations.
package donoraccess
