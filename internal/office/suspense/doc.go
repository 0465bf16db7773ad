// Package suspense lists the amounts in suspense (account 1090) and resolves them (table suspense_resolution): a person asks to
// book an amount to an account of operations, and another one approves it.
//
//	in suspense ──┬── asked ── approved ──▶ resolved: 1090 / account, in operations
//	              └── cleared by the program: a bank debit that arrived, a refund that the program made
//
// An amount is all that is in suspense of one subject: a charge with what happened to it, or a balance transaction of none.
//
// The database holds the rules (migration 00142): a resolution is of the amount that is in suspense now, executes a request that
// another person approved, says what was approved, and is booked as it says; and no other entry takes money out of suspense but
// those of what the processor told.
package suspense
