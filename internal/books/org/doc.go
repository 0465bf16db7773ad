// Package org owns legal entities and the organisations that ask for donations in their name.
//
// A LegalEntity is the legal donee: it owns books, a receipt series, a bank account and a Stripe
// account, in one currency and one time zone. An Organisation is a page with funds inside exactly one
// entity: the entity itself, or a project it sponsors.
//
//	LegalEntity 1 ── n Organisation 1 ── n fund.Fund
//
// Only the declarative file (package setup) creates and changes them. They are never deleted. Some columns never
// change, because links and the books refer to them: the slugs, the entity's currency, and the entity of an
// organisation. The server's role has no right to update these columns.
//
// The package has no rules about donations. It says who asks for a donation, in which words and amounts, and which law,
// calendar and currency apply.
package org
