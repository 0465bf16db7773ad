// Package donoraccess owns how donors come in: letters that prove an address, the addresses that make a person, and sessions.
//
//	asked ── letter: a link and a code ──┬── link, and the button pressed in the browser that asked ──┐
//	  │                                  └── code, typed in any browser ────────────────────────────────┴── used: a session
//	  └── ten minutes, or a newer one asked for: over
//
// Whoever asks gets the same answer after the same work, known or not: a row and a job. The letter is the job's, and only the
// letter ever holds the link's secret and the code; they are made when it is written and kept as hashes. A scanner that
// opens the link, runs its script and presses its button lacks the cookie of the browser that asked, and uses nothing up.
//
// Guesses of a code are counted: the browser that asked has a few of its own, and all others together a few for an address in
// an hour, so that guessing neither gets in nor keeps out who holds the letter.
//
// A person is the addresses that were proved to belong together, and nothing else. To add one, it is proved from within a
// session; taken away, it is again whose it was. What was given with an address is found by the address (room donor), so a
// gift belongs to whoever reads its mailbox and nobody can give it to somebody else.
//
// Whenever an address is joined or taken away, a letter tells all addresses of both persons of it.
//
// A session is 256 random bits in a cookie, of which the hash is kept. It ends when its donor says so, on this device or on all;
// after two weeks without a visit (a phone changes hands, a library's computer stays open); and after ninety days in any case. It is
// long because a donor comes a few times a year, can move no money to anybody by it, and must not be taught to click on
// letters every time (OWASP ASVS 5.0.0 V7.3.1, V7.3.2). The table is our own, and not a session library's: those keep a bag
// of values under a token, and what is wanted here is "all sessions of a person" and "all that this address opened".
//
// All times are the database's. The room sends nothing and knows no gift.
package donoraccess
