// Package correction voids and corrects posted gifts that came without a processor (tables gift_void_request, gift_void). A posted gift is never edited:
//
//	void         typed by mistake, as if it had never been: its entries are reversed, its receipt is void, the donor is told
//	correction   a void, and another posted gift in its place, whose receipt says which one it replaces: in one transaction
//
// Either is asked for by a person of the entity's finance, and executed when a second one approves it (approval.Void). What is asked for stands in
// gift_void_request, and what was done in gift_void.
//
// Neither is possible while a closed deposit or a line of the bank has the gift (Obstacle says what to undo first), after a part of it went back, in a
// closed month, or when a restricted fund has spent it. Money that goes back to the donor is a refund (package refund).
//
// The database holds the rules (migration 00195): what is executed is what was approved, and no gift is void without two people, or an import that is undone.
package correction
