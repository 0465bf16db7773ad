// Package many fills a database with settled gifts, as many as a growing organisation has, faster than the
// gift path. It is the start of tests that measure or restore a large Konbit.
//
// A gift of Fill has every row that the gift path writes: donor, contact, designation, status history, the
// processor's two events (with erased payloads), the entries of the payment and of its fees, the parts of the
// payment by fund, balance transaction, receipt with the next number, and its sent email. At regular
// intervals everything is paid out. The ledger itself seals the books and updates their balances.
//
// The donors have invented names in several languages, some of many people and some of few (names.sql), so that a search
// by name finds what it would find among people.
//
// The rows are written by SQL over sets, which repeats in short the rules of other packages: the ledger's
// entries and the hashes of facts. A test compares the result with the rules: each trigger and foreign key,
// `konbit ledger verify`, and a gift made by the packages.
package many
