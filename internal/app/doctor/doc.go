// Package doctor checks an installation for `konbit doctor`, each check with how to fix what it finds: the mail server,
// the database and its log, the background work, the lists of erasures, Stripe's accounts, and the DNS records of the
// senders. It changes nothing.
package doctor
