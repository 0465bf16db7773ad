// Package checkout owns what a donation begun on our form has beside the donation: the form's id and hash, the payment
// page at the processor, the number of tries to create it, and when it expires. It begins donations and finds those
// whose page ended without any event.
//
//	                ┌─ the same form, unchanged ─────────────────┐
//	                ▼                                            │
//	begun ──────► page open ──────► paid: the webhook settles the donation, which never touches the checkout's row
//	  │             │
//	  └─────────────┴──► ended  (the donation is expired or failed; its form may begin another donation)
//
// A form has at most one checkout that is not ended. Its row is inserted before the donation's, in one transaction, and
// both are committed before any call to the processor. Updates lock the donation first, then the checkout. A trigger of
// the database keeps `ended` true exactly while the donation is expired or failed.
//
// Later payments of a plan, and donations that staff enter or import, have no checkout. checkout settles nothing and
// books nothing: package donation does.
package checkout
