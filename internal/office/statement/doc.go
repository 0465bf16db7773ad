// Package statement owns annual statements: what a donor gave to one legal entity in one year, gift by gift, as it was told them.
//
//	gifts of the year ── now: as they stand, shown at any time and kept nowhere
//	        │
//	        └── issued (from 15 January on): frozen, and its letter ordered, in one transaction
//	               └── a receipt of the year changes ── corrected: the next n, in place of the one before, with a letter
//
// A donor belongs to one legal entity, so a statement is one donor's in one year, and the key (donor, year, n) lets there be one
// first: a batch that was killed goes on where it stopped because it does for each donor what was not done yet. The year is that
// of the charge in the entity's time zone, as on receipts. A refund or a lost dispute stands with its gift, on its own day, in the
// statement of the gift's year; so the total is always the sum of the year's receipts that stand.
//
// The figures are written once. The name and addresses stand apart and can be erased. statement neither renders nor sends.
package statement
