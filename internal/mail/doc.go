// Package mail composes emails and sends them by SMTP. README.md lists every kind of email.
//
// An email is rendered once, from frozen facts. Its bytes are stored before they are first sent, without the recipient's
// address and unsigned. Each attempt writes the delivery's address into the field To, signs, and sends the same text with
// the same Message-ID. An email is therefore sent at least once, and a recipient who
// gets two copies can recognise them as one by the Message-ID.
//
//	job ── render, store ── delivery ── sign, send ── accepted (with the server's reply)
//	                          │                ├──── refused permanently: a task for finance
//	                          │                ├──── stopped by its donor, or its receipt is no longer valid: cancelled
//	                          │                └──── error: the job is retried later
//	                          └── ordered again, to the same or a corrected address: the same text
//
// A receipt or statement is stored as its difference to a model (package difference): the email to an invented donor, in the
// same words of the same organisation. Other emails are stored whole. Models name nobody and are never removed.
//
// A stored email never changes. Its recipient belongs to the delivery, and only there an erasure removes the address. A
// corrected address is a new delivery, which supersedes the deliveries that still wait.
//
// Rules:
//   - An email without a recipient is not rendered, stored or sent: the donor gave no address, or was erased.
//   - Reminders of planned charges and annual statements are optional: the donor can stop them with one click, without
//     signing in. The address for this is in the text and in the header (RFC 8058). The donor's preference is read
//     immediately before each attempt.
//   - Receipts, sign-in emails, confirmations of a change and emails about a failed payment are not optional.
//   - Emails that contain a secret, or an address that is about to be erased, are not stored.
//   - Logs and errors contain no personal data: of a server's refusal only its codes are recorded.
package mail
