// Package payout owns what Stripe's balance tells: balance transactions, what they book, and what became of
// charges afterwards.
//
// Every movement of money at Stripe is one balance transaction, and every one is kept and booked once, in the
// order in which Stripe made them. So the end is the same whatever the order in which events tell of it, or
// whether they tell at all: an event of a refund, a dispute or a payout is only a hint to look.
//
//	charge, payment           the gift settles if it has not; its fee, the sponsor's fee (fee.go)
//	payment still pending     suspense, until it succeeds or fails (pending.go)
//	refund, refund failed     taken from the funds of the gift with the fees' share given back (refund.go)
//	adjustment of a dispute   withdrawn, won (dispute.go); lost is no movement: its event tells, or a sweep asks
//	payout, payout failed     per fund, by the payout's own transactions (bank.go)
//	Stripe's fees             operations
//	anything else             suspense, with a task for finance
//	what its rule can't book  suspense, with a task that names it and why (suspend.go)
//
//	a charge: charged ──┬── refunded in parts or whole ── (a refund may fail at the bank)
//	                    └── disputed: withdrawn ──┬── won
//	                                              └── lost ── (the bank may still give it back: won)
//
// A restricted fund never falls below zero: what it cannot bear, operations bears, with a task. payout asks
// nobody for anything; stripepay brings it what Stripe listed.
package settlement
