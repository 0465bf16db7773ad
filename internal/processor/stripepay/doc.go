// Package stripepay is the only room that speaks Stripe. It translates and never decides.
//
// Out: payment pages (Checkout Sessions) and the lists of balance transactions, one client per process and
// one secret key per legal entity, so two charities' money never meets.
//
// In: webhooks. The door checks and stores the raw event and answers; nothing else happens in the request.
// The drain works stored events off in small batches:
//
//	new ──┬──────────────────────────── done
//	      ├── parked (waits: its gift or its charge is not here yet; looked at again with growing delay)
//	      └── set_aside (five tries failed; its reason is kept, the others go on)
//
// What settles a gift is the charge, told by charge.succeeded: it alone has the amount, the payment intent
// and the moment of charging. Its siblings (checkout.session.completed, payment_intent.succeeded) say
// that a charge must be there; if it isn't after a few seconds, it is fetched.
package stripepay
