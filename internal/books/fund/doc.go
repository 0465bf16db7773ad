// Package fund owns funds: what a gift may be for.
//
// A fund belongs to one organisation of one legal entity; besides, each entity has an operations fund,
// which belongs to no organisation, bears what no other fund can, and is never offered to donors.
//
//	          closed: true in the file
//	open  ────────────────────────────▶  closed
//	      ◀────────────────────────────
//	          the key removed again
//
// A closed fund takes no new gifts and keeps its books, its history and its code. No fund is ever
// deleted. Three things are decided when it is made and never change, because gifts have been asked for
// and booked in their terms: its slug, its code, which names it in the books, and its restriction,
// which says in which class of net assets its gifts stand. A fund that needs another restriction is
// closed and another one opened.
//
// The room keeps no balances (they are the ledger's) and knows no gift. Its CatalogCache holds everything
// set up (entities, organisations, funds) in memory, so that showing a form takes no query.
package fund
