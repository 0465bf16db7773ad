// Package payout owns what Stripe's balance tells: balance transactions, and what they book.
//
// A balance transaction is kept and booked once, in one transaction. Of a charge it tells the processing
// fee, which is known nowhere else: the fee is borne by the funds of the gift, split like the gift, or by
// operations where the entity's policy says so, and with it the fiscal sponsor's fee is taken. A fee whose
// gift is not in the books yet waits: a charge is always booked before its fee.
//
// payout asks nobody for anything; stripepay brings it what Stripe listed.
package payout
