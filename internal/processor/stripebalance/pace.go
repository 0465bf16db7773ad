package stripebalance

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// pace decides how soon an entity's balance is imported again.
//
//	busy       the last run booked batchSize transactions or more: a list for each new charge would mostly list the
//	           same transactions again. The next run starts after busyDelay; a new charge does not start it earlier.
//	idleRuns   how many runs in a row booked nothing; 0 if busy
type pace struct {
	busy     bool
	idleRuns int
}

const (
	busyDelay      = 9 * time.Second
	firstDelay     = 3 * time.Second  // doubles with each run that books nothing
	maxFreshDelay  = 10 * time.Second // within freshChargeAge of the newest charge whose fee is due
	maxDelay       = 15 * time.Minute
	freshChargeAge = time.Hour
)

// after returns the pace after a run that booked so many transactions.
func (p pace) after(booked int) pace {
	switch {
	case booked >= batchSize:
		return pace{busy: true}
	case booked > 0:
		return pace{}
	}
	return pace{idleRuns: p.idleRuns + 1}
}

// delay returns how long after a run the next one may start. release limits it further if a charge is fresh.
func (p pace) delay() time.Duration {
	if p.busy {
		return busyDelay
	}
	delay := firstDelay
	for range p.idleRuns - 1 {
		if delay *= 2; delay >= maxDelay {
			return maxDelay
		}
	}
	return delay
}

// storedBusy stands for a busy pace in column idle_looks, which otherwise holds idleRuns. The previous release reads and
// writes the same column.
const storedBusy = -1

func (p pace) Value() (driver.Value, error) {
	if p.busy {
		return int64(storedBusy), nil
	}
	return int64(p.idleRuns), nil
}

func (p *pace) Scan(stored any) error {
	n, ok := stored.(int64)
	if !ok || n < storedBusy {
		return fmt.Errorf("stripebalance: %v is not a pace", stored)
	}
	*p = pace{busy: n == storedBusy}
	if !p.busy {
		p.idleRuns = int(n)
	}
	return nil
}
