// Package offline owns gifts that do not come from a payment processor: batches of them as people type them, and what is known
// of each besides its donation and payment. Tables: gift_batch, gift_batch_row, gift_batch_row_part, offline_gift.
//
//	batch:  begun ──┬── rows are stored, corrected, removed ──▶ posted: each row is a gift, all or none, once
//	                └── put away, without a row
//
// A row is what was typed (Typed, by the names of the form's fields) and what it means (Meaning). Check reads the one into the
// other, and says of each field that it cannot read how to mend it. A row that is stored can be posted, unless its donor was
// erased or its fund closed since.
//
// The role entry types in its scope. Only the entity's finance posts, when count and total agree with those on paper, or with
// a reason. The database holds these rules (migration 00150), and that a posted row is a gift and never changes.
//
// What a posted gift books, A being the account of its method (check, cash: 1050; transfer: 1100; stock: 1300):
//
//	debit  credit  fund
//	A      40xx    the gift's funds, what is given, as donation.Settler books it, with the sponsor's fee
//	A      4300    operations, the value of what was given in return
//	5300   42xx    the gift's funds, of a thing that finance values; and 4900 / 4910 if restricted
//
// The method decides the booking, given_by the words: persons and organisations get a receipt, a donor-advised fund, a
// foundation and an employer that matches a letter of thanks (package thanks).
package offline
