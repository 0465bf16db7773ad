package stripefake

import (
	"container/heap"
	"context"
	"time"
)

// scheduledTask is a task that runs when the stand-in's clock reaches At.
type scheduledTask struct {
	At       int64
	Sequence uint64 // orders tasks of the same moment by the time of their creation
	Account  string // secret key of the account
	What     string // a key of taskHandlers
	ID       string
}

// schedule is a heap of tasks, earliest first.
type schedule []scheduledTask

func (g schedule) Len() int { return len(g) }
func (g schedule) Less(i, j int) bool {
	return g[i].At < g[j].At || g[i].At == g[j].At && g[i].Sequence < g[j].Sequence
}
func (g schedule) Swap(i, j int) { g[i], g[j] = g[j], g[i] }
func (g *schedule) Push(x any)   { *g = append(*g, x.(scheduledTask)) }
func (g *schedule) Pop() any {
	last := len(*g) - 1
	x := (*g)[last]
	*g = (*g)[:last]
	return x
}

// now returns the time of the stand-in's clock. The caller holds the lock.
func (s *Server) now() time.Time { return s.opts.Now().Add(s.offset) }

// Now returns the time of the stand-in's clock.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.unlock()
	return s.now()
}

// Advance moves the clock forward (it ignores a negative d) and runs every task that is due, each at its own
// moment. Webhooks that wait for a retry are sent at once.
func (s *Server) Advance(d time.Duration) {
	if d < 0 {
		return
	}
	s.mu.Lock()
	s.runDue(s.now().Add(d))
	s.offset += d
	s.dirty = true
	s.unlock()
	s.sender.retryNow()
}

// taskHandlers maps the kinds of tasks to the kind of object they change. A task is never removed from the
// schedule: its handler first checks whether it still applies.
var taskHandlers = map[string]struct {
	kind string
	do   func(*transaction, object)
}{
	"expire":   {"checkout.session", (*transaction).expire},
	"bounce":   {"charge", (*transaction).bounce},
	"settle":   {"charge", (*transaction).settle},
	"upcoming": {"subscription", (*transaction).emitUpcoming},
	"renew":    {"subscription", (*transaction).renew},
	"cancel":   {"subscription", (*transaction).cancelOnTime},
	"resume":   {"subscription", (*transaction).resume},
	"phase":    {"subscription_schedule", (*transaction).startNextPhase},
	"expiring": {"subscription_schedule", (*transaction).emitExpiring},
	"finalize": {"invoice", (*transaction).finalizeDue},
	"retry":    {"invoice", (*transaction).retry},
	"refunded": {"refund", (*transaction).arriveAtBank},
}

// runDue runs every task that is due at until. The caller holds the lock.
func (s *Server) runDue(until time.Time) {
	for {
		i := s.nextDue(until.Unix())
		if i < 0 {
			return
		}
		next := heap.Remove(&s.due, i).(scheduledTask)
		if s.journal.file != nil {
			s.journal.popped = append(s.journal.popped, next.Sequence)
		}
		t := s.newTransaction(s.accountFor(next.Account, ""))
		t.now = next.At
		handler := taskHandlers[next.What]
		handler.do(t, t.a.get(handler.kind, next.ID))
		s.dirty = true
	}
}

// nextDue returns the place of the first task that is due at until and does not wait for the history's clock; -1 if there
// is none.
func (s *Server) nextDue(until int64) int {
	next := -1
	if s.history == nil || s.history.Told {
		if len(s.due) > 0 && s.due[0].At <= until {
			next = 0 // the heap has the first task first
		}
		return next
	}
	for i, task := range s.due {
		if task.At <= until && !s.history.holds(task.At) && (next < 0 || s.due.Less(i, next)) {
			next = i
		}
	}
	return next
}

// runClock runs due tasks while real time passes, and replaces a journal that has become large by a snapshot. That
// takes at most about a tenth of the time, however large the state is.
func (s *Server) runClock(ctx context.Context) {
	var nextSave time.Time
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.mu.Lock()
			s.runDue(s.now())
			size := s.journal.size
			s.unlock()
			began := time.Now()
			if size < maxJournal || began.Before(nextSave) {
				continue
			}
			if err := s.save(); err != nil {
				s.log.Error("stand-in: state not written", "error", err)
			}
			nextSave = time.Now().Add(10 * time.Since(began))
		}
	}
}
