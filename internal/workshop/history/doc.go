// Package history makes the two months of the demo that are past when it starts: gifts of invented donors to the
// organisations of demo.yaml, plans with their renewals, refunds, disputes, payouts, and what finance has to look at.
//
//	people.go   the donors
//	story.go    what happens, and when
//	maker.go    makes it
//
// Each form is checked and begun by the program's own functions, with a clock that shows the day of the gift, and paid in
// the stand-in for Stripe on that day (stripefake.History). What follows is the program's work: the stand-in tells the
// history by webhooks, and the server settles the gifts, books the balance, issues the receipts and sends the emails.
// What the server does itself has the present date: a receipt of a gift of October is issued today.
//
// The story is the same in every demo, but for its days: they are the two months before the demo is started for the first
// time.
// A demo that is stopped while its history is made goes on with it; a history that is made is not repeated.
//
// GET /_sandbox/history of the stand-in says how far it is (stripefake.HistoryProgress).
//
// The package writes no row by SQL of its own.
package history
