// Package donation owns donations: the rules of the form, a donation's row and status, which funds it is for, and how
// it settles.
//
//	            ┌──────────── expired  (the payment page expired, or the donor changed the form)
//	started ────┼──────────── failed   (a bank debit came back)
//	   │        └── processing ──┐     (a bank debit is on its way)
//	   │                         │
//	   ├─────────────────────────┴── settled  (paid: booked and receipted; this never changes)
//	   └──────────────────────────── held     (paid, but not as expected: in suspense, with a task)
//
// A payment is a fact and is never refused, so an expired or failed donation whose charge succeeds later is settled
// too. If its form has led to another donation meanwhile, the money goes to suspense, and a person asks the donor.
// The row is committed before any call to Stripe. A payment settles at most one donation. A second payment for a
// settled donation goes to suspense. The payment's own row belongs to package payment.
//
// A donation is for one fund or split over several. What a donor adds to cover the processing fee is part of the
// donation, split over its funds like the rest, and stored as added. A donation may honour or remember a person, and a
// card about it is sent when it settles. The card never says how much was given.
//
// Most donations begin on our form. Later payments of a plan, and donations that staff enter or import, have no form
// and no checkout; see Source. Package checkout owns the checkouts and begins donations. A donation that expired or
// failed, and whose form has begun another one, is superseded: the database's function checkout_superseded reports it.
//
// donation never calls Stripe, renders nothing and sends nothing. entries.go lists what it books.
package donation
