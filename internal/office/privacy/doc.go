// Package privacy owns what a person may request about their data: a copy of all of it, and its erasure.
//
//	requested ── email ── three days ──┬── withdrawn
//	                                   └── done, in one transaction ── last email
//
// Erased: name, addresses, phone, note, dedication, tribute cards and what was written about them; stored emails and
// their recipients; Stripe's events about the person's donations; sign-ins, sessions, and jobs that are not done.
//
// Not erased is what the law and the books need: the donation, its amount, date, funds and receipt number (GDPR art.
// 17 (3) b; IRS Publication 1771). No row whose hash is sealed contains personal data: the books name a donation only
// by its id, so every chain verifies after an erasure as before.
//
// A receipt is retained for seven years, the common practice in the United States. During that time, what it said about
// the donor is in receipt_kept, with the reason. The database copies it there itself (function erase_people) and masks
// it with a one-time key, which it deletes; the key's other copy is sealed under the installation's secret, which no
// dump contains. The server's role can neither read nor write the table. So an attacker in the server cannot read a
// copy, and no attacker can replace one. A stolen backup from after the erasure does not open it either; together with
// one from before, which contains the key that was not used yet, it does. But that one contains the receipt itself,
// unless the person gave in between: leave the keys out of dumps (running/backup.md). To open a copy takes the database
// owner's password and the secret together, and records who did it and why. Expired copies are deleted automatically,
// by the database's clock. The owner makes the keys ahead of need: Prepare. Copies in receipt_hold are of an earlier
// release.
//
// The database does not trust the server with an erasure. The server's role waits three days from the moment the
// database recorded the request, erases at most fifty people in 24 hours, and only the people in the request
// (table server_limit). The owner is not bound: to erase again after a restore, or at once.
//
// What only a scan finds (payloads, jobs, addresses in rows about somebody else) is found before anything is locked, by
// rows_to_clear, and compared again under the locks. Erasures run one after another.
//
// A transaction that writes about a person at the same time waits: an erasure locks the person's donors and addresses
// before it reads what it erases (function lock_people; migration 00094 names the order of locks), and a trigger on
// each table with personal columns waits for these locks and writes the row in its erased form, or not at all. A donor
// counts as erased only if may_erase set erasure_donor.erased_at; an address that the server's role writes into a donor
// does not matter. So a receipt that is being issued or sent, a refund, a statement, a page of the person's own brings
// nothing back. Events of Stripe are stored without what names any person; those that an earlier release stored, also
// while it runs beside this one in an upgrade, contain names for up to 90 days, and A17 sees only addresses in them. A
// new form or sign-in after the erasure is a new person's. testdata/columns.txt lists every column of every table with
// what an erasure does with it.
//
// A person requests their erasure in every legal entity. Staff request it for the donors of their own legal entity alone
// (erasure.entity_id), and are not told whether another one has a donor of the same person. If it has, the person's
// addresses, sign-in and devices stay, because both share them, and so does every row of the other entity. The database
// decides this at the erasure (functions erasure_is_shared and addresses_of) and names no donor of another entity in such
// an erasure. A request of the person takes the place of those of entities that wait.
//
// A donation that was begun with a mistyped address has moved to its right owner (package owner). The erasure of the
// owner also erases the donors who had it before, without another wait, if nobody uses their address: no donor with it
// has a donation, and nobody proved it. A17 finds those of earlier erasures.
//
// Each night RecordTracesTx and checker A17 look for rows that name an erased person all the same: rows of erased
// donors that are not in their erased form, and addresses, compared as whole values by their keyed hashes. Erasing once
// more removes them: konbit erasures apply. In rows about somebody else (a receipt that staff sent to that address) it
// removes the address alone. Addresses are compared in lower case. What is newer than the first run of an erasure is a
// new person's, and stays; the list beside the backups says when that was, also to the server's role, which erases anew
// days later.
//
// A17 also names a donor whose address is that of an erased one, though no erasure erased them. Either somebody with the
// server's role wrote it, and the owner writes the address again from the gift's receipt; or donation.Purge forgot the
// donor, who had not paid, and a gift settled later. Then no erasure is to be repeated: erase that donor. The program
// itself settles no such gift: it goes to suspense, with the task purged_gift_paid.
//
// A backup made before an erasure still contains the person. So the list of erasures, which contains only ids and keyed
// hashes of addresses, is stored beside the backups and is applied again to a database that was restored from one.
//
// Stripe deletes as well: a job deletes the customers of the person's recurring gifts, with name, address and cards.
// Payments remain at Stripe, with the data typed on Stripe's pages, as the donations remain here. Only Stripe's
// dashboard (or a redaction job, which is a preview) removes a person from the payments; the command prints this.
//
// An erasure waits while a recurring gift is active or a donation is pending: CheckErasable returns fault.Conflict.
package privacy
