// Package suspense lists the amounts in suspense (account 1090) and resolves them (table suspense_resolution): a person asks to
// book an amount to an account of operations, or as a gift to funds, or to refund it, and another one approves it.
//
//	in suspense ──┬── asked ── approved ──▶ resolved: 1090 / account, in operations; or 1090 / 1010 in operations and
//	              │                         1010 / 40xx in each fund of a gift, with its receipt
//	              └── cleared by the program: a bank debit that arrived, a refund that the program made
//
// A gift is recorded when it is asked for, with its donor; it has no date, no receipt and no place in lists of gifts until another
// person approves. It is paid by a payment of its own (payment.OfSuspense), whose id is the resolution's; the payment in suspense
// stays as it is. The money moves between funds while it is in clearing: package payout has the next payout carry that.
//
// An amount is all that is in suspense of one subject: a charge with what happened to it, or a balance transaction of none.
//
// The database holds the rules (migration 00142): a resolution is of the amount that is in suspense now, executes a request that
// another person approved, says what was approved, and is booked as it says; and no other entry takes money out of suspense but
// those of what the processor told.
package suspense
