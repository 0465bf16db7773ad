// Package check runs the checkers. A checker is a view in the schema (first in migration 00014) that is empty while a
// promise is true. Its rows say what is wrong, with which object, since when. The package owns check_run: the results
// of the daily runs.
//
//	A1   a payment without one donation          A7   a receipt not emailed
//	A2   a settled gift without its charge       A8   a job overdue
//	A3   an entry that does not balance          A9   an event overdue
//	A4   a gift or movement not booked once      A10  clearing that is not what Stripe holds
//	A5   receipt numbers with a gap              A11  a chain of seals that is broken
//	A6   a gift without its one receipt          A14  a fund below zero in restricted money
//	A16  a receipt that names its legal entity as it was not on that day
//
// SealWatch does not wait for the daily run: it opens tasks as soon as entries wait and nothing is sealed.
//
// The views read tables of several packages, so they belong to none: that donation, charge, entry, receipt and email
// agree is a rule between packages. They do not rely on triggers or constraints. The chaos tests, `konbit ledger
// verify` and the server (daily) run them through this package. The package only reports; it corrects nothing.
package check
