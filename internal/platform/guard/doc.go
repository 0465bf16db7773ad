// Package guard stops people who test stolen cards on the donation form, and does not disturb donors.
//
// It owns the counters of attempts, the score of failures, the challenge that is required when the score is high, and
// the passes of event mode (a shared tablet). Every submission of a form is judged here, before the donation is
// stored and before anything is created at Stripe:
//
//	attempt ─▶ counted ──┬─ score low, form read for long enough ─▶ Passed
//	                     └─ over a limit, score high, too fast ───▶ Challenged ─▶ solved, waited ─▶ Passed
//	                                                                          ├▶ not yet ─▶ Challenged
//	                                                                          └▶ wrong ───▶ Refused
//
// Limits are per address (an IPv6 address counts by its /64), network (/24, /48), email address and page, in any
// window of their length. All servers share them through PostgreSQL. No limit refuses anybody, because strangers can use
// each up for others: beyond it there is a challenge. Beyond the limit of an address, an email address or a page it is the
// ordinary one, beyond that of a network a hard one. Solved challenges are limited for each address and network; beyond,
// and beyond the limit of an email address in one network, only a wait passes. A known browser, in which the email address
// was proved before, has limits of its own, so that strangers cannot slow down its owner.
//
// The score is the number of failures of a page and of the whole site: cards that banks declined, and forms submitted
// faster than a person can read. Failures expire, so the score falls by itself.
//
// The challenge is a proof of work for the browser or, without JavaScript, a wait. Its token is signed, bound to what
// was typed, valid once, and expires.
//
// Other packages count their own limits here: with Allow, such as guesses of a code, and with JudgeAct, which shows the
// same challenge beyond the limits, such as sign-in emails. Unlike a gift, such an act is refused beyond the last of its
// limits, because it sends an email to somebody who may not have asked for it.
//
// The package stores and logs no address and no email address in clear, only a keyed hash, for as long as its window
// lasts. It does not reveal which rule refused an attempt, and it never sees a card.
package guard
