// Package fund owns funds: the purposes that donors can give to.
//
// A fund belongs to one organisation of one legal entity. Each entity also has an operations fund. It belongs to no
// organisation, pays what no other fund can pay, and is never offered to donors.
//
//	          closed: true in the file
//	open  ────────────────────────────▶  closed
//	      ◀────────────────────────────
//	          the key is removed
//
// A closed fund takes no new donations. Its books, its history and its code stay. Funds are never deleted. Three
// columns never change, because donations were requested and booked with them:
//
//   - the slug,
//   - the code, which names the fund in the books,
//   - the restriction, which decides the class of net assets of its donations.
//
// To change a restriction, close the fund and open another one.
//
// The package stores no balances (the ledger does) and no donations. Its CatalogCache holds all entities,
// organisations and funds in memory, so that showing a form needs no query.
package fund
