// Package turns limits the calls to Stripe's API so that gifts come first.
//
// Stripe limits the calls of an account (https://docs.stripe.com/rate-limits). Each call waits for its turn in the
// queue of its account, by its priority:
//
//	Gift     a donor waits for a payment page
//	Act      a donor's act in the portal, a change of a plan, an event
//	Import   what Stripe's balance and lists have; nobody waits for it
//
// A turn goes to the highest priority that waits. The others leave a part of the saved turns to gifts, so that a gift
// after a burst of acts does not wait either. When Stripe refuses a call with status 429, because several servers share
// the account's limit or another program uses it, only gifts get turns for a second.
//
// The queue is in memory: each server has its own.
package turns
