// Package planlink owns the links of emails to plans: their secrets, their end, and what they may do.
//
//	valid ──┬── expired   13 months after it was made
//	        └── ended     the address was linked, unlinked or erased, or all sessions of the person were ended
//
// Emails are forwarded: a receipt goes to an accountant, a mailbox is shared. So a link alone may take no more from the
// donor than the donor agreed to: it shows the plan without the person, pauses, skips, cancels, and makes the gift
// smaller or rarer. Everything else, the end of a pause too, needs a session, which is opened by an email sent to the
// donor within minutes.
//
// A link has two secrets, which only emails contain. The token is the fragment (after #) of the link's address, which
// browsers do not send: no log of a proxy and no Referer contains it. The code is for browsers without scripts. Both
// are made again from the server's key and the link's id, so that a plan has one link a month, and not one an email.
//
// All times are the database's.
package planlink
