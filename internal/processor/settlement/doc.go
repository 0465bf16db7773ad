// Package settlement books what happens to payments after the donor has paid: fees, refunds, disputes, payouts and
// adjustments. It owns the balance transactions, the shares of payments by fund and their changes, and the payouts.
//
// Every movement of money at Stripe is one balance transaction. Each is stored and booked once, in Stripe's order.
// Therefore the result does not depend on the order of events, nor on their arrival: an event about a refund, a
// dispute or a payout only requests an import (package stripebalance).
//
//	balance transaction            booked
//	charge, payment                the gift settles if it has not; its fee and the sponsor's fee (charge_fee.go)
//	bank debit on its way          in suspense until it succeeds or fails (pending_charge.go)
//	charge of an unknown invoice   in suspense until the invoice is known (deferred.go)
//	refund, failed refund          from the funds that staff ordered, or of the gift in proportion, with their share of the fees (refund.go)
//	adjustment of a dispute        withdrawn or won, of any amount (dispute.go); a loss moves no money: an event reports it
//	payout, failed payout          by fund, as the payout's members are (payout.go); stored by package payout
//	Stripe's fees                  in operations
//	any other                      in suspense, with a task; of an ignored payment of another program: 1095, without one
//	one that its rule cannot book  in suspense, with a task that names it and the reason (suspense.go)
//
// A payment without a processor has no balance transaction: package offlinepay books what becomes of it (run.go).
//
//	a payment: settled ──┬── refunded in parts or whole ── (a refund may fail at the bank)
//	                     └── disputed: withdrawn ──┬── won
//	                                               └── lost ── (the bank may still return it: won)
//
// A restricted fund never falls below zero: operations pays what no fund can, with a task (shortfall.go).
//
// How an amount is divided over funds is computed by package share.
//
// It asks no processor for anything: stripebalance gives it what Stripe lists.
package settlement
