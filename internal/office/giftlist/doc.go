// Package giftlist lists gifts and finds donors for finance staff: the newest gifts, those of a month, of a fund, of a
// donor, and donors by name. It reads the views donor_row, gift_row and gift_of_fund of migration 00110 and owns no table.
//
// Lists have pages with a cursor, never an offset: a page costs the same wherever it is. Walk reads any list to its end
// with the memory of one page, for exports.
package giftlist
