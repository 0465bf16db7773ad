// Package giftlist lists gifts and finds donors for finance staff: the newest gifts, those of a month, of a fund, of a
// donor, and donors by name. It reads the views donor_row, gift_row and gift_of_fund of migration 00110. It owns donor_word,
// the words of donors' names: a trigger on donor writes it, and the function find_donors reads it (migration 00113); and
// donor_email_word, the words of their email addresses, which a trigger writes and office_find_donors reads (00180).
//
// Lists have pages with a cursor, never an offset: a page costs the same wherever it is. Walk reads any list to its end
// with the memory of one page, for exports.
//
// Pages of staff read as konbit_office and use Query: Keys returns the places of a page's gifts, ByKeys the gifts, Sum their
// total, Beside the neighbours of a gift, Look reads what was typed into the search. A list without a search reads the gifts
// in the order of an index and leaves out those that its filters do not want, at most so many a page; a total adds up at most
// so many. History and Postings are everything that happened to one gift.
package giftlist
