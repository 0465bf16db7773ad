// Package figures owns donor_year, and computes the figures that finance staff look at: what was received by month and
// fund, and which donors gave last year but not this (LYBUNT).
//
//	sealed entries of gifts, and donors who are due ──▶ Refresh ──▶ donor_year: what each donor gave in each year
//	ledger_month (package ledger) and fund          ──────────────▶ ReceivedByMonth
//
// A gift counts in the year of its tax date, without what was refunded or lost in a dispute; a gift of which nothing is
// left does not count. donor_year is some seconds behind the books. A refund, a dispute and a move to
// another donor add the donors to donor_year_due in their own transaction, by triggers.
//
// The server's role cannot write these rows. It calls functions of migration 00110, which compute them from the gifts.
// The rows have ids and sums only, and stay after an erasure: a list of donors leaves out those who were erased.
package figures
