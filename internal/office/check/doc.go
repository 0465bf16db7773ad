// Package check reads the checkers: views in the schema (migration 00014), each empty while a promise is kept, whose
// rows say what is wrong, about which object, since when. It owns check_run, what each night's look found.
//
//	A1   a payment that is not one gift's        A7   a receipt not mailed
//	A2   a settled gift without its charge       A8   a job overdue
//	A3   an entry that does not balance          A9   an event overdue
//	A4   a gift or movement not booked once      A10  clearing that is not what Stripe holds
//	A5   receipt numbers with a gap              A11  a chain of seals that is broken
//	A6   a gift without its one receipt
//
// The views look across rooms, and so belong to none: that gift, charge, entry, receipt and letter agree is nobody's
// rule alone. They trust no trigger and no constraint. The chaos harness, `konbit ledger verify` and the server,
// nightly, all read them here; check mends nothing.
package check
