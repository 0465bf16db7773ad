// Package audit owns the audit log: what staff and operators did, to what, from which value to which, and why.
//
//		RecordTx ──▶ entry ──▶ Seal ──▶ seal ──▶ RecordHeadTx ──▶ head, emailed to the auditors
//
//	  - An entry is written in the transaction of its effect, so that there is neither one without the other. A table whose
//	    rows must have an entry has the trigger requires_audit (migration 00125).
//	  - Who and when are the database's: the person of the staff session of the transaction, or the operator if the owner's
//	    role writes. What the program says about them is ignored.
//	  - Entries are never changed. Each is sealed shortly after its commit: the seals are one hash chain over all entries,
//	    and the database computes them. Verify computes them again, here.
//	  - Entries hold ids, amounts and states, never what a donor is called, so an erasure leaves them as they are.
package audit
