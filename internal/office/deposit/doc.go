// Package deposit owns the deposits of checks and cash at the bank (tables deposit, deposit_item).
//
//	item:     waits in 1050 ── in an open deposit ── in a closed one
//	deposit:  open ── closed (bank account, day) ── on the bank's statement: 1100 / 1050 fund by fund
//
// A gift by check or cash waits from the moment it is posted (a trigger on offline_gift). The entity's finance ticks what goes to the
// bank, prints the slip, and closes the deposit. It is booked when a line of the bank is matched with it: package bank finds it as an item of kind
// deposit (Kind). A closed deposit without a line can be opened again.
//
// A check that its bank does not pay comes back as a line of the bank, of kind returned (Returned): the match books it, the receipt becomes void
// and the donor is told; undoing the match undoes all of that.
//
// The database holds the rules (migration 00190): a gift is in at most one deposit, a deposit is closed once and keeps its items, and what a match
// says of a deposit or a returned check is so at commit.
package deposit
