package stripebalance

import (
	"errors"

	"konbit/internal/processor/settlement"
)

// backlog is what a run could not book and leaves to the next one, and what must be booked after it:
//
//	movement of a charge or dispute   after its charge, and after earlier movements of the same charge or object
//	                                  (a dispute is won after it was withdrawn; a refund is a share of what remains)
//	payout, failed payout             after every transaction in the backlog, which it may pay out
//	anything else                     does not wait
type backlog struct {
	blocked map[string]bool // ids of transactions, their sources and their charges
	reasons []error
}

// add adds a transaction; reason is nil if it only waits for another one.
func (b *backlog) add(t settlement.Transaction, reason error) {
	if b.blocked == nil {
		b.blocked = map[string]bool{}
	}
	for _, id := range []string{t.ID, t.SourceID, t.ChargeID} {
		if id != "" {
			b.blocked[id] = true
		}
	}
	if reason != nil {
		b.reasons = append(b.reasons, reason)
	}
}

func (b *backlog) empty() bool { return len(b.blocked) == 0 }

// mustWait reports whether a transaction is in the backlog or must be booked after something in it.
func (b *backlog) mustWait(t settlement.Transaction) bool {
	if t.IsPayout() || t.IsFailedPayout() {
		return !b.empty()
	}
	return b.blocked[t.ID] || b.blocked[t.SourceID] || t.ChargeID != "" && b.blocked[t.ChargeID]
}

func (b *backlog) err() error { return errors.Join(b.reasons...) }
