// Package mail composes letters and sends them by SMTP.
//
// A letter is rendered once, from frozen facts; the bytes are kept before they are first sent, and a
// re-send sends the same bytes with the same Message-ID. So mail goes out at least once, and whoever
// gets a copy twice can tell by the Message-ID that it is one letter.
//
//	job ── render and keep ── send ── accepted (with the server's answer)
//	                            └──── error: the job comes again later
//
// Personal data stay out of logs and errors: of a server's refusal only its codes are passed on.
package mail
