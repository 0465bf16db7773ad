// Package donation owns gifts: the form's rules, the gift's row and its status, which funds it is for,
// and the moment it settles.
//
//	            ┌──────────── expired  (the payment page ran out, or the donor changed the gift)
//	started ────┼──────────── failed   (a bank debit came back)
//	   │        └── processing ──┐     (a bank debit is on its way)
//	   │                         │
//	   ├─────────────────────────┴── settled  (the charge succeeded: booked, receipted, for ever)
//	   └──────────────────────────── held     (paid, but not what was expected: in suspense, with a task)
//
// A fact is never refused, so an expired or failed gift whose charge succeeds after all settles too, unless
// its form has led to another gift meanwhile: then the money goes to suspense, for a person to ask the donor.
// The row is committed before any call to Stripe. One charge settles at most one gift, and a second
// charge for a settled gift goes to suspense.
//
// A gift is for one fund or shared among several. What a donor adds to cover the processing fee is part of
// the gift, split over its funds like the rest, and remembered as added. A gift may honour or remember
// somebody, and a card about it goes out when it settles; the card never learns how much was given.
//
// donation decides; it never speaks to Stripe, renders nothing and sends nothing. What it books stands
// in entries.go.
package donation
