// Package giftlist lists gifts and finds donors for finance staff: the newest gifts, those of a month, of a fund, of a
// donor, and donors by name. It reads the views donor_row, gift_row and gift_of_fund of migration 00110. It owns donor_word,
// the words of donors' names: a trigger on donor writes it, and the function find_donors reads it (migration 00113).
//
// Lists have pages with a cursor, never an offset: a page costs the same wherever it is. Walk reads any list to its end
// with the memory of one page, for exports.
package giftlist
