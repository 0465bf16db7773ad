package ledger

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Chain says how far the entries of an entity are sealed.
type Chain struct {
	EntityID uuid.UUID `json:"entity"`
	Sealed   int64     `json:"sealed"` // entries
	Head     string    `json:"head"`   // the last one's hash in hexadecimal
}

// The rules of the chains, in the order in which they are reported.
const (
	ruleExists    = "every sealed entry exists"
	ruleUnchanged = "every sealed entry is as it was sealed"
	ruleNoGap     = "no seal of a chain is missing"
	ruleInOrder   = "every entry is sealed once, in its entity's chain, in the order of recording"
	ruleHead      = "every chain agrees with its recorded heads"
)

var sealRules = []string{ruleExists, ruleUnchanged, ruleNoGap, ruleInOrder, ruleHead}

// verifySeals walks through every chain from its first entry. It adds the length of each chain and what is wrong to the
// report.
func verifySeals(ctx context.Context, tx *sqlx.Tx, heads []Head, report *Report) error {
	recorded, err := recordedHeads(ctx, tx)
	if err != nil {
		return err
	}
	w := chainWalk{expected: map[chainPosition]Head{}, found: map[string]*Finding{}}
	for _, h := range append(recorded, heads...) { // those of the caller win
		if known, twice := w.expected[chainPosition{h.EntityID, h.N}]; twice && known.Hash != h.Hash {
			w.report(ruleHead, uuid.Nil, "entry %d of entity %s has the recorded heads %s and %s", h.N, h.EntityID, known.Hex(), h.Hex())
		}
		w.expected[chainPosition{h.EntityID, h.N}] = h
	}
	rows, err := tx.QueryContext(ctx, sealedEntries)
	if err != nil {
		return err
	}
	defer rows.Close()
	if err := scanHashInputs(rows, w.next); err != nil {
		return err
	}
	w.end()
	w.reportMissing()
	report.Chains = append(report.Chains, w.chains...)
	for _, rule := range sealRules {
		if f := w.found[rule]; f != nil {
			report.Findings = append(report.Findings, *f)
		}
	}
	return nil
}

// chainPosition is a position in a chain.
type chainPosition struct {
	entity uuid.UUID
	n      int64
}

// chainWalk walks through the chains, one after the other.
type chainWalk struct {
	expected map[chainPosition]Head // heads that were not reached yet
	found    map[string]*Finding
	chains   []Chain
	last     Head  // that was reached
	serial   int64 // of the last
}

// next takes the next seal. After a broken seal it continues from the stored hash, so that one changed entry is one
// finding, and not all entries after it are.
func (w *chainWalk) next(s *hashInput) error {
	if s.entityID != w.last.EntityID {
		w.end()
		w.last, w.serial = Head{EntityID: s.entityID}, 0
	}
	if s.n != w.last.N+1 {
		w.report(ruleNoGap, s.entryID, "it has seal %d of entity %s, after seal %d", s.n, s.entityID, w.last.N)
	}
	switch {
	case !s.exists:
		w.report(ruleExists, s.entryID, "it was sealed as entry %d of entity %s and is gone", s.n, s.entityID)
	case !s.complete || s.seal(s.n, w.last.Hash) != s.hash:
		w.report(ruleUnchanged, s.entryID, "it or its seal, number %d of entity %s, was changed", s.n, s.entityID)
	}
	if s.exists && s.misplaced || s.serial <= w.serial {
		w.report(ruleInOrder, s.entryID, "it has seal %d of entity %s, by the serial %d after %d", s.n, s.entityID, s.serial, w.serial)
	}
	w.last.N, w.last.Hash, w.serial = s.n, s.hash, s.serial
	at := chainPosition{s.entityID, s.n}
	if head, ok := w.expected[at]; ok && head.Hash != s.hash {
		w.report(ruleHead, s.entryID, "as entry %d of entity %s it was recorded with %s and has %s", s.n, s.entityID, head.Hex(), w.last.Hex())
	}
	delete(w.expected, at)
	return nil
}

// end adds the chain that was walked through to the result, if there is one.
func (w *chainWalk) end() {
	if w.last.N > 0 {
		w.chains = append(w.chains, Chain{w.last.EntityID, w.last.N, w.last.Hex()})
	}
}

// reportMissing reports, after all chains, the expected heads that were not reached.
func (w *chainWalk) reportMissing() {
	ends := map[uuid.UUID]int64{}
	for _, c := range w.chains {
		ends[c.EntityID] = c.Sealed
	}
	missing := slices.SortedFunc(maps.Values(w.expected), func(a, b Head) int {
		return cmp.Or(bytes.Compare(a.EntityID[:], b.EntityID[:]), cmp.Compare(a.N, b.N))
	})
	for _, h := range missing {
		w.report(ruleHead, uuid.Nil, "entry %d of entity %s was recorded with %s and is gone; the chain has %d entries",
			h.N, h.EntityID, h.Hex(), ends[h.EntityID])
	}
}

func (w *chainWalk) report(rule string, entry uuid.UUID, detail string, args ...any) {
	if known := w.found[rule]; known != nil {
		known.Count++
		return
	}
	w.found[rule] = &Finding{Rule: rule, Count: 1, Entry: uuid.NullUUID{UUID: entry, Valid: entry != uuid.Nil}, Detail: fmt.Sprintf(detail, args...)}
}
