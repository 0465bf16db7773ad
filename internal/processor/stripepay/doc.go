// Package stripepay is the only package that speaks Stripe. It translates and decides nothing.
//
// Out: Checkout Sessions, subscriptions of plans, and lists of balance transactions. There is one client per process
// and one secret key per legal entity, so the money of two charities never meets.
//
// In: webhooks. The package webhook verifies and stores events. event.Worker reads the stored events from
// EventStore, which translates them, and applies them.
//
// The charge settles a donation: only charge.succeeded has the amount, the payment intent and the time of the charge.
// The events checkout.session.completed and payment_intent.succeeded say that a charge must exist; if its event has not
// come at the third attempt, the charge is fetched.
package stripepay
