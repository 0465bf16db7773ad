// Package mailcatch is a real SMTP server that delivers to nobody: it keeps every message exactly as received and shows it on an
// inbox page. The demo reads its letters there, and the tests judge what was really sent.
//
// A message, once answered 250, is kept until its file is deleted. Faults (SetFault) make it behave as mail servers do on bad days.
//
//	GET /messages.json       the list, newest first
//	GET /messages/{id}.eml   the bytes as received
//	GET /                    the inbox for people; /messages/{id} shows one message as text, HTML and attachments
//
// It never sends anything, changes a byte of a message, or runs what a message contains. It has no access control: it listens
// where it is told to, and that should be this machine only.
package mailcatch
