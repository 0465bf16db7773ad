// Package securitylog writes the security log: who was let in, and what was refused (OWASP ASVS 5.0.0 V16.3).
//
// It owns the table of events. An entry has the event, the client's network, the request's reference, by which the
// request log and the page of a failure name the same request, and for a limit its name. It has nothing about a person:
// no name, no address of any kind, no id, no token, nothing that was typed.
//
// A request carries the log in its context (With), so that any package below web records an event by Record. A response
// that refuses something and for which nothing was recorded gets an entry by its status: no refusal is missing.
package securitylog
