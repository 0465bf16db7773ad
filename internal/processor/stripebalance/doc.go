// Package stripebalance imports Stripe's balance: it lists the balance transactions of each legal entity, has
// package settlement book every one of them once, in Stripe's order, and compares Stripe's balance with the books.
//
// It owns the import cursor and its lease (table balance_lookup), the comparisons with Stripe's balance (table
// balance_observation), and the tasks about transactions that could not be booked.
//
//	ImportDue   every few seconds: the entities with a reason (a charge whose fee is due, or an event about money)
//	Sweep       every quarter of an hour: every entity, from further back; then pending charges, the comparison
//	            with Stripe's balance, and disputes that were lost without an event
//
//	a run:  lease ── list (48 hours at a time) ── read payout members and invoices ── book 100 at a time ── release
//	          └ another process took the lease: the run ends, nothing is wrong
//
//	a transaction that cannot be booked:
//	        failed ── retried for an hour, with an open task ──┬── booked, task closed
//	                                                           └── booked to suspense, with a task
//
// It never asks Stripe inside a database transaction, and it decides no posting: package settlement does.
package stripebalance
