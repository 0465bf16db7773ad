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
//	A15  an event that failed and is set aside
//	A16  a receipt or statement that names its legal entity as it was not on that day, a receipt of another amount or day
//	A17  a row that names a person who was erased
//	A18  a receipt of more than Stripe left of its charge
//	A19  a sum of a month that is not that of its postings
//	A20  a sum of a donor's year that is not that of their gifts
//	A21  an entry of the audit log that is not sealed, or not as it was sealed
//	A22  a sum of a day that is not that of its postings
//	A23  a bank account on 1100 that is not what its openings, matches and other entries book, or a match that is not equal
//
// A3, A11, A19, A20 and A22 would read every entry. Their daily run reads the entries that were sealed since the last run
// without rows, and everything once a week, or until nothing is wrong. A11 counts entries and seals before that: an entry
// that was passed over is found on the same day. check_progress, which only the database writes, says how far each has
// come. RunAll reads everything.
//
// SealWatch does not wait for the daily run: it opens tasks as soon as entries wait and nothing is sealed.
//
// The views read tables of several packages, so they belong to none: that donation, charge, entry, receipt and email
// agree is a rule between packages. They do not rely on triggers or constraints. The chaos tests, `konbit ledger
// verify` and the server (daily) run them through this package. The package only reports; it corrects nothing.
package check
