// Package setup makes the legal entities, organisations and funds in the database match one declarative file.
//
//	data ── Read ──▶ *File ── Apply ──▶ Result
//	           │                 │
//	           ▼                 ▼
//	       Problems          Problems      everything wrong at once, each with file, line, column and how to fix it
//
// Read checks the file alone: keys, formats, amounts, languages. Apply compares it with what is stored, under a lock
// and in one transaction: it first computes the whole difference (plan.go, without SQL) and then writes all of it. In a
// dry run, or if there are problems, it writes nothing. Applying a file again finds no difference and writes no row.
//
// Nothing else writes these tables. setup never deletes a row:
//
//   - An organisation that is not in the file stays as it is, so each entity may have a file of its own.
//   - A fund that is no longer listed in its organisation is closed. If it has a history (gifts or journal entries),
//     that is a problem: the file must continue to list it.
//   - What web addresses and books already contain cannot change: slugs, an entity's currency, an organisation's
//     entity, a fund's restriction. The problem says what to do instead.
//   - An entity may not have a receipt prefix with which another entity has issued receipts, even if the other entity
//     has a different prefix now.
package setup
