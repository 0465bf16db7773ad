// Package ledger owns the books: double entry per fund, insert only.
//
// An Entry is one fact that moved money, on one business date, in the books of one legal entity. Its postings balance
// in each fund. Amounts are minor units of the books' currency, debit positive; a line may also say what it was in a
// foreign currency. An entry's key has four parts (entity, source, source id, kind); beside it stands the hash of the
// fact. Together they make a repeat harmless and a contradiction visible:
//
//	PostTx ──▶ key unknown                     ──▶ posted for good
//	       ──▶ key known, same fact            ──▶ returns the earlier entry, Repeated
//	       ──▶ key known, another fact         ──▶ fault.Conflict, nothing posted
//	       ──▶ dated in a closed period        ──▶ posted on the first open day; the fact's date is stored beside it
//
// An entry is never changed and never deleted. ReverseTx corrects a mistake, or books that a fact was undone, by a
// mirror of the entry. An entry has at most one mirror.
//
// The rules are checked three times: here, so that a caller gets an early error; in the database
// (migrations/00003_ledger.sql), so that no code can break them; and by Verify, in the rows as they are stored.
//
// After its commit, four things happen to an entry. Each has rows of its own that are written once, and none slows
// down the donation:
//
//	entry ──▶ Seal           numbers and hashes it in its entity's chain (seal.go; what is hashed: seal_hash.go)
//	      ──▶ TakeSnapshots  adds it to its funds' next snapshots; Balance and ReadPosition read the newest snapshot
//	                         and the postings since
//	      ──▶ Seal           adds it to the sums of its month, in ledger_month; SumsByMonth and Activities read them and the
//	                         postings since
//	      ──▶ Seal           adds what was given to the sums of its day, in ledger_day; GivenByDay reads them likewise
//	      ──▶ RecordHeadTx   records the chain's last hash once a day; it is emailed to the auditors, out of reach of
//	                         everyone here
//
// Verify recomputes all three. If the owner of the database rewrites all of them, the auditors' emails still show it.
//
// The package knows accounts and ids. It knows no donation, grant or donor, and no name: the caller of a report brings
// Names. No name or address of a person belongs in a source id, a fact or a dimension: these rows are never erased.
package ledger
