// Package recurring stores plans, counts their payments, and has their subscriptions changed at Stripe. Package plan
// has their statuses and the rules of their dates; package billing declares what is asked of Stripe.
//
// A plan is inserted with its first donation, in one transaction, before any call to Stripe. Its id is that donation's
// id. Each later payment is a donation of its own: MatchChargesTx finds a charge's plan by the invoice it paid, counts
// the payment and inserts the donation, which the charge then settles like any other. The amount and the funds are the
// plan's terms (package planterms); if another amount was charged, that is the gift. Package instalment has the invoices.
//
// Payments are counted here and nowhere else. At Stripe, a plan of N payments is a subscription with a schedule of N
// periods, made longer by one period for each period that was not paid. Independently of the schedule, the plan is
// ended at Stripe after N payments, and a payment beyond them is refunded.
//
// A change at Stripe takes three steps:
//
//  1. a request is inserted, in the transaction of its cause
//  2. ExecuteRequest makes the call (package plancall), outside any transaction, with an idempotency key made of the request's id
//  3. applyResult records the result and what follows from it
//
// If Stripe cannot be reached, or the entity's key is wrong, the request's job runs again. A request that waited is judged
// again when it is executed. The state of a subscription is never concluded from webhook events. An event only schedules
// a sync, which reads the subscription (SyncPlan). What was changed at Stripe is taken over by it, with an email to the
// donor (followStripeTx), unless a request that waits may have caused it. An end while the donor's stop waits is theirs.
// While a payment is disputed, nothing is charged: requests that would charge are refused, and a subscription that
// charges nevertheless is held again (FollowDispute, holdAgainTx).
//
// Package recurring renders nothing and sends nothing: an email is the job of a plan's event.
package recurring
