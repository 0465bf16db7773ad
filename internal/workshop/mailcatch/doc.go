// Package mailcatch is a real SMTP server that delivers no message: it stores every message exactly as received and
// shows it on an inbox page. The demo reads its emails there, and the tests check what was really sent.
//
// A message that was answered 250 is stored until its file is deleted. Faults (SetFault) make the server fail as mail
// servers do.
//
//	GET /messages.json       the list, newest first
//	GET /messages/{id}.eml   the bytes as received
//	GET /                    the inbox for people; /messages/{id} shows one message as text, HTML and attachments
//	GET /authenticator       the codes of the demo's staff, which an app on a phone would show; .json the same as a list
//
// It never sends anything, changes a byte of a message, or runs what a message contains. It has no access control: its
// address should be one of this machine only.
package mailcatch
