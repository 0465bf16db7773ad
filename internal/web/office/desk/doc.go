// Package desk has what all pages of the office share: the frame with its navigation, the scope one works in, the prompt for a
// fresh factor, and lists.
//
// A page reads in Desk.Read, as konbit_office: row-level security shows it the rows of the scopes of the signed-in person,
// whatever a query asks for. It writes by services, in staff.InTx.
//
// A form that needs a fresh factor calls Prove first. It shows the same form again, with what was typed and a prompt, until a
// factor is right. A page that shows what an act does, before it is done, has an address of its own: SealForm and OpenForm.
//
// A list names what its address asks for and it does not know (Unknown). A table that does not fit its window is a card for each
// row: office.css says when.
package desk
