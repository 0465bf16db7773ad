// Package privacy owns what a person may ask of what is kept about them: a copy of it all, and to be forgotten.
//
//	asked ── letter before ── three days ──┬── withdrawn
//	                                       └── done: in one transaction ── letter after, the last
//
// Erased are name, addresses, phone, note, dedication, cards and what was written about them, letters' bytes and recipients, what
// Stripe told of their gifts, sign-ins and sessions, and jobs not done. Kept is what the law and the books need: the gift, its
// amount, date, funds and receipt's number (GDPR art. 17 (3) b; IRS Publication 1771). None of it stands in a row whose hash is
// sealed: the books name a gift by its id alone, so every chain verifies afterwards as before.
//
// A receipt is kept for the seven years that are common practice in the United States. Until then what it said of the donor stands sealed in
// receipt_hold with the reason: encrypted with a key made of the installation's secret, which no dump holds, and in a table which
// the server's own role cannot read, so that neither a stolen backup nor a server that was broken into gives it away. Opening one takes
// the owner's database password and the secret together, and leaves who and why. It goes by itself when its time is over.
//
// A backup made before still knows the person. So the list of erasures, which names nobody (ids and keyed hashes of addresses), is
// kept beside the backups and done again on what was restored from them.
//
// Stripe is told to forget as well: a job deletes the customers of their recurring gifts, with name, address and cards. Payments stay
// there, as ours do here, with what was typed on their pages; only Stripe's dashboard (or a redaction job, a preview) takes a person
// out of those, and konbit says so to whoever erases.
//
// A recurring gift that goes on must be stopped first, and a gift that is on its way must arrive: privacy says so and waits.
package privacy
