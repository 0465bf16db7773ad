// Package bank owns the bank accounts of legal entities (bank_account, declared in the file that package setup reads), what was in them when the
// books began, the files and lines of the bank, and the matches of lines and what they are of ours.
//
//	file ──▶ statements ──▶ lines ── open ── MatchTx ──▶ matched: one entry, or none if it is booked already or set aside
//	                                  ▲                     │
//	                                  └────── UndoTx ───────┘ the reversing entry; not in a closed month
//
// A match is of parts of lines and of items, equal to the cent. A line is one part until a person splits it. An item is a payout, a gift, a
// deposit: whoever owns such things implements ItemKind. Items of bank itself have no row elsewhere: fee, interest, transfer:ACCOUNT,
// spending:FUND:FUNCTION:NATURE, and aside:REASON, which books nothing.
//
// Whether an item has come to the bank is written nowhere else: it has if a live match has it (view bank_cleared).
//
// At any time, of each account:
//
//	1100 = statement − open lines − lines set aside + what is not yet cleared
//
// The database holds the rules (migrations 00160 to 00162): a match is equal and booked as it says, a part and an item are in at most one live
// match, an entry of a match has its match. Package
// bank/suggest proposes and chooses nothing; rules are made by people.
package bank
