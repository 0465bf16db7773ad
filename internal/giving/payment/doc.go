// Package payment owns the payments: by which method money came, through which processor, when it was received, and
// which account of the books it was debited to. A payment is written once, in the transaction that books it, and never
// changes.
//
//	settled    it paid the donation it names; a donation has at most one settled payment
//	suspense   it is booked to suspense with a task for finance. It names the donation it was meant for if that
//	           donation now needs review, and no donation otherwise (a second payment, a payment without a donation)
//
// Refunds, disputes and fees of a payment belong to package settlement. payment knows no donor and books no entry:
// donation writes the row when it settles.
package payment
