// Package staffmail composes the emails to people who work with the program, and to auditors: links by which staff sign
// in for the first time, news about accounts, and the daily heads of the books and of the audit log. Package mail stores
// and sends them.
package staffmail
