// Package planlink says what the link of an email may do with a plan.
//
// Emails are forwarded: a receipt goes to an accountant, a mailbox is shared. So a link alone may take no more from the
// donor than the donor agreed to: it pauses, skips, resumes, cancels and makes the gift smaller or rarer. Everything
// else needs a session, which is opened by an email sent to the donor within minutes.
package planlink
