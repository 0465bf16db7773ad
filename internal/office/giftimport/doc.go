// Package giftimport owns imports of gifts from spreadsheets (tables gift_import, gift_import_mapping, gift_import_batch).
//
//	uploaded ── ordered ──▶ running: batch after batch ──▶ ended ── undoing ──▶ undone
//	   │           └── a row cannot be posted: back, with the reason
//	   └── discarded
//
// A file is CSV or XLSX (ReadTable). A person says what each column is (Mapping), which is remembered by the headings. Check reads each row as
// package offline reads a row of a batch, and says of each field that it cannot read how to mend it; Look finds its donor, and gifts that
// may be the same. Nothing is posted while a row is bad, unless it is ordered without these.
//
// An import is posted as batches of one day, of at most 500 rows, each in a transaction of its own, by a job: it goes on where it was after any
// end of a server, and posts no row twice, for the row of a batch has an id that follows from import and line. Undoing it reverses what was
// posted, gift by gift, as long as none of them was deposited, matched with a line of the bank, refunded or closed.
package giftimport
