package stripefake

import (
	"container/heap"
	"context"
	"time"
)

// scheduledTask is something that happens when the stand-in's clock reaches At.
type scheduledTask struct {
	At       int64
	Sequence uint64 // keeps those of one moment in the order in which they were made
	Account  string // its secret key
	What     string // one of keepers
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

// now is the stand-in's clock. The lock is held.
func (s *Server) now() time.Time { return s.opts.Now().Add(s.offset) }

// Now returns the stand-in's clock.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// Advance moves the clock forward (never back) and lets everything that falls due happen, each at its own moment.
// Webhooks waiting for another try are tried at once.
func (s *Server) Advance(d time.Duration) {
	if d < 0 {
		return
	}
	s.mu.Lock()
	s.runDue(s.now().Add(d))
	s.offset += d
	s.dirty = true
	s.mu.Unlock()
	s.courier.retryNow()
}

// taskHandlers are the kinds of tasks in the schedule, with the kind of object of each. A task is never removed: its
// handler checks first whether it is still wanted.
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
	"phase":    {"subscription_schedule", (*transaction).turnPhase},
	"expiring": {"subscription_schedule", (*transaction).warnOfEnd},
	"finalize": {"invoice", (*transaction).advance},
	"retry":    {"invoice", (*transaction).retry},
}

// runDue runs every task up to a moment. The caller holds the lock.
func (s *Server) runDue(until time.Time) {
	for len(s.due) > 0 && s.due[0].At <= until.Unix() {
		next := heap.Pop(&s.due).(scheduledTask)
		t := s.act(s.accountFor(next.Account, ""))
		t.now = next.At
		keep := taskHandlers[next.What]
		keep.do(t, t.a.get(keep.kind, next.ID))
		s.dirty = true
	}
}

// runClock runs due tasks and writes the state file as real time passes. Writing takes at most about a tenth of the
// time, however much there is to write.
func (s *Server) runClock(ctx context.Context) {
	var rest time.Time
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.mu.Lock()
			s.runDue(s.now())
			s.mu.Unlock()
			began := time.Now()
			if began.Before(rest) {
				continue
			}
			if err := s.save(); err != nil {
				s.log.Error("stand-in: state not written", "error", err)
			}
			rest = time.Now().Add(10 * time.Since(began))
		}
	}
}
