// Package setup brings legal entities, organisations and funds to what one declarative file says.
//
//	data ── Read ──▶ *File ── Apply ──▶ Result
//	           │                 │
//	           ▼                 ▼
//	        Problems          Problems      everything wrong at once, each with file, line, column and mend
//
// Read judges the file alone: keys, forms, amounts, languages. Apply judges it against what is stored,
// under a lock and in one transaction: it works out the whole difference first (plan.go, without SQL)
// and then either writes all of it, or, on a dry run or a refusal, nothing. Applying a file a second
// time finds no difference and touches no row.
//
// The file is the only door for this: nothing else writes these tables. It never deletes. An
// organisation the file leaves out stays as it is, so there may be a file for each entity; a fund left
// out of its organisation is closed, unless it has a history, which the file must keep naming. What
// addresses and books already speak of (slugs, an entity's currency, an organisation's entity, a fund's
// restriction) cannot be changed, and trying is refused with the way round it.
package setup
