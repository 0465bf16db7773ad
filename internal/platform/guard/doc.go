// Package guard stops people who test stolen cards on the donation form, and does not disturb donors.
//
// It owns the counters of attempts, the score of failures, the challenge that is required when the score is high, and
// the passes of event mode (a shared tablet). Every submission of a form is judged here, before the donation is
// stored and before anything is created at Stripe:
//
//	                     ┌─ over the limit of its network ─────────────▶ Refused
//	attempt ─▶ counted ──┤
//	                     ├─ score low, form read for long enough ──────▶ Passed
//	                     └─ over another limit, score high, too fast ──▶ Challenged ─▶ solved ─────▶ Passed
//	                                                                               └▶ not solved ─▶ Challenged, or Refused
//
// Limits are per address (an IPv6 address counts by its /64), network (/24, /48), email address and page, in any
// window of their length. All servers share them through PostgreSQL. Beyond a limit that a stranger can use up for
// others, that of an address, an email address or a page, the challenge is required and nobody is refused. The limit of a
// network is what bounds people who solve challenges: it refuses. A known browser, in which the email address was proved
// before, has a limit of its own instead of those of address, network and email address.
//
// The score is the number of failures of a page and of the whole site: cards that banks declined, and forms submitted
// faster than a person can read. Failures expire, so the score falls by itself.
//
// The challenge is a proof of work for the browser or, without JavaScript, a wait. Its token is signed, bound to what
// was typed, valid once, and expires.
//
// Other packages count their own limits here with Allow: sign-in emails, guesses of a code.
//
// The package stores and logs no address and no email address in clear, only a keyed hash, for as long as its window
// lasts. It does not reveal which rule refused an attempt, and it never sees a card.
package guard
