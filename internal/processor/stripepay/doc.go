// Package stripepay is the only package that speaks Stripe. It translates and decides nothing.
//
// Out: Checkout Sessions, subscriptions of plans, and lists of balance transactions. There is one client per process and one secret key
// per legal entity, so the money of two charities never meets.
//
// In: webhooks. Inbox verifies and stores the raw event and answers; nothing else happens in the request. event.Worker reads
// the stored events from EventStore and applies them:
//
//	new ──┬──────────────────────────── done
//	      ├── parked (waits for its donation or its charge; tried again after a growing delay)
//	      └── set_aside (five attempts failed; its reason is stored, the other events go on)
//
// The charge settles a donation: only charge.succeeded has the amount, the payment intent and the time of the charge. The events
// checkout.session.completed and payment_intent.succeeded say that a charge must exist; if its event has not come at the second attempt, the
// charge is fetched.
package stripepay
