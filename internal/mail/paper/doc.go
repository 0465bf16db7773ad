// Package paper puts the frozen facts of receipts and statements into what the view shows of them, in emails and on the
// donor's pages.
package paper
