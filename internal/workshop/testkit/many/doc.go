// Package many fills a database with settled gifts, as many as a growing organisation has, faster than the gift path would: what
// measures a large Konbit, or restores one, begins here.
//
// A gift of Fill is whole, with every row that the gift path leaves behind: donor, contact, designation, steps, the processor's two
// events (their payloads long erased), the payment's entry and those of its fees, shares of the charge, balance transaction, receipt
// with the next number, and its letter, handed over. Now and then all of it is paid out. The books are sealed, and their balances kept, by the ledger itself.
//
// What writes the rows is SQL over sets, so it repeats in short what the rooms know: LEDGER.md's entries and the facts' hashes.
// A test holds it against the rules: each trigger and foreign key, `konbit ledger verify`, and a gift made by the rooms.
package many
