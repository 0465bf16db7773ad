// Package donors serves the pages of staff about donors: the list, a donor's whole record, and what staff do for a donor who
// asks the office.
//
//	who                     may
//	who reads gifts         find donors, and open the record: of a project's staff, donors of the project's gifts, and of these
//	                        the project's gifts, receipts and plans
//	finance of a project    pause or stop a recurring gift to the project; send a receipt of its gifts again, to the donor
//	finance of the entity   also correct a name or an address, send a receipt to another address (the gift moves), correct a
//	                        receipt, and begin an erasure: a donor and their receipts belong to the entity
//
// Each act has a form of its own, which says what it does and which email the donor gets, asks why, and has a one-time id: sent
// twice, it acts once. The act and its entry in the audit log are one transaction. To open a record is an entry too.
package donors
