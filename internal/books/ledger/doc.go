// Package ledger owns the books: double entry, fund by fund, written once.
//
// An Entry is one fact that moved money, on one business date, in the books of one legal entity. Its
// postings balance in each fund by themselves; amounts are minor units of the books' currency, debit
// positive. The fact is named by a key of four parts (entity, source, source id, kind) and by the hash
// of what happened. The key and the hash together make a repeat harmless and a contradiction visible:
//
//	PostTx ──▶ key unknown                     ──▶ posted, for ever
//	       ──▶ key known, same fact            ──▶ the earlier entry, Repeated
//	       ──▶ key known, another fact         ──▶ fault.Conflict, nothing posted
//	       ──▶ dated in a closed period        ──▶ posted on the first open day; the true date stays beside it
//
// An entry is never changed and never deleted. A mistake, or a fact that came undone, is answered by
// ReverseTx: a mirror of the entry, at most one for each.
//
// The rules stand twice: here, so that a caller hears early what is wrong, and in the database
// (migrations/00003_ledger.sql), so that nobody gets round them. Verify asks a third time, of the rows
// as they are stored.
//
// Three things follow an entry after its commit, each in rows of its own that are written once; none costs the gift that
// is booked anything:
//
//	entry ──▶ Seal          numbers and hashes it in its entity's chain (seal.go; what is hashed: seal_hash.go)
//	      ──▶ KeepBalances  adds it to its funds' next snapshots; Balance and Position read the newest and the postings since
//	      ──▶ KeepHeadTx    once a day, the chain's last hash, for the auditors to keep where nobody here can reach it
//
// Verify recomputes all three. What somebody who owns the database may do to it, the auditors' letters show.
//
// The room knows accounts and ids. It names no donation, grant, donor or fund; what ids are called comes
// from a Directory that the caller brings. No name or address of a person belongs in a source id, a fact or a
// dimension: these rows outlive every erasure.
package ledger
