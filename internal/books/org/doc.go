// Package org owns legal entities and the organisations that ask for gifts in their name.
//
// A LegalEntity is the legal donee: it owns books, a receipt series, a bank account and a Stripe
// account, in one currency and one time zone. An Organisation is a page with funds inside exactly one
// entity: the entity itself, or a project it sponsors.
//
//	LegalEntity 1 ── n Organisation 1 ── n fund.Fund
//
// Both come into being, and change, by the declarative file alone (room setup). Neither is ever
// deleted, and some of what they are never changes, because addresses and books already speak of it:
// the slugs, the entity's currency, the entity an organisation belongs to. The server's role may not
// even write those columns after the insert.
//
// The room decides nothing about gifts. It answers who asks, in which words and amounts, and whose
// law, calendar and currency hold.
package org
