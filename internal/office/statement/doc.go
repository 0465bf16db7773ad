// Package statement owns annual statements: what a donor gave to one legal entity in one year, donation by donation.
//
//	donations of the year ── now: computed from the donations as they are, shown at any time, not stored
//	        │
//	        └── issued (from 15 January on): the facts are stored and the email is enqueued, in one transaction
//	               └── a receipt of the year changes ── corrected: the next n replaces the one before, with an email
//
// A donor belongs to one legal entity, so a statement is for one donor and one year. The key (donor, year, n) allows
// one first statement: a batch that was killed continues where it stopped, because it does for each donor what is not
// done yet.
//
//   - The year is that of the charge in the entity's time zone, as on receipts.
//   - A refund or a lost dispute is shown with its donation, on its own day, in the statement of the donation's year.
//     So the total is always the sum of the year's valid receipts.
//   - If nothing remains of the year's gifts, no statement is issued. One that was issued before is corrected, and the
//     correction says that it and the receipts are void. If something remains later (a dispute is won), the donor gets
//     a first statement with the corrections.
//   - The facts never change. The name and addresses are in a table of their own and can be erased.
//   - Statements are composed while their donors are locked: a donation that moves to another donor (package owner)
//     is in the statement of one of them only. The email is checked again when it is stored.
//   - Names are those on the receipts. If they are several (people share a mailbox), each has a part with its own total.
//   - A statement is issued when its calendar year is over. Before, MailSoFar emails the donations so far, and says so.
//
// The package does not render or send.
package statement
