// Package guard keeps people who try stolen cards from using the donation form for it, and lets donors by.
//
// It owns the counters of attempts, the score of failures, the step that is asked for when the score is high,
// and the passes of event mode. Every press of a form's button is judged here before the gift's row and before
// any object at Stripe:
//
//	                    ┌──────────── over a limit ──────────▶ Refused
//	press ─▶ counted ───┤
//	                    ├─ calm, form read for long enough ──▶ Passed
//	                    └─ score high, or form too fast ─────▶ Asked ─▶ step done ─▶ Passed
//	                                                                 └▶ not done ─▶ Asked again, or Refused
//
// Limits are per address (an IPv6 address counts by its /64), network (/24, /48), e-mail and page, in any window
// of their length, shared by all servers through PostgreSQL. The score is the number of failures (cards that
// banks refused, forms answered faster than anybody reads) of a page and of the whole site: it rises and falls
// by itself. The step is work for the browser, or, without JavaScript, a wait; it is signed, bound to what was
// typed, good once, and runs out.
//
// Other rooms have what they limit counted here too (Allow): asking for a way in, guessing a code.
//
// The room never keeps or logs an address or an e-mail in clear, only a keyed hash for as long as its window
// lasts; never tells which rule refused; and never learns a card.
package guard
