// Package mail composes letters and sends them by SMTP.
//
// A letter is rendered once, from frozen facts; the bytes are kept before they are first sent, and a
// re-send sends the same bytes with the same Message-ID. So mail goes out at least once, and whoever
// gets a copy twice can tell by the Message-ID that it is one letter.
//
//	job ── render, sign, keep ── delivery ── send ── accepted (with the server's answer)
//	                                │         ├──── refused for good: a task for finance
//	                                │         ├──── its donor stopped letters of its kind, or its receipt no longer stands: called off
//	                                │         └──── error: the job comes again later
//	                                └── ordered again, to the same or a better address: the same bytes
//
// A letter never changes. Whom it goes to is a delivery, and a better address is another delivery, which
// ends the wait of those before it.
//
// Letters that remind of what comes as planned, annual statements and news are their donor's to stop, by one press without signing
// in; each has the address of that in its text and, for mail providers, in its header (RFC 8058). The wish is asked right before a letter
// goes. Receipts, sign-in, changes to a gift and what needs the donor's hand are no such letters: they answer what somebody did.
//
// Personal data stay out of logs and errors: of a server's refusal only its codes are passed on.
package mail
