package stripefake

import (
	"container/heap"
	"context"
	"time"
)

// appointment is something that happens when the stand-in's clock reaches At.
type appointment struct {
	At      int64
	Turn    uint64 // keeps those of one moment in the order in which they were made
	Account string // its secret key
	What    string // one of keepers
	ID      string
}

// agenda is a heap of appointments, earliest first.
type agenda []appointment

func (g agenda) Len() int { return len(g) }
func (g agenda) Less(i, j int) bool {
	return g[i].At < g[j].At || g[i].At == g[j].At && g[i].Turn < g[j].Turn
}
func (g agenda) Swap(i, j int) { g[i], g[j] = g[j], g[i] }
func (g *agenda) Push(x any)   { *g = append(*g, x.(appointment)) }
func (g *agenda) Pop() any {
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
	s.meet(s.now().Add(d))
	s.offset += d
	s.dirty = true
	s.mu.Unlock()
	s.courier.hurry()
}

// keepers are what can be put in the agenda, with the kind of object each concerns. An appointment is never taken back:
// who keeps it looks first whether it still stands.
var keepers = map[string]struct {
	kind string
	do   func(*act, object)
}{
	"expire":   {"checkout.session", (*act).expire},
	"bounce":   {"charge", (*act).bounce},
	"settle":   {"charge", (*act).settle},
	"upcoming": {"subscription", (*act).announce},
	"renew":    {"subscription", (*act).renew},
	"cancel":   {"subscription", (*act).cancelOnTime},
	"resume":   {"subscription", (*act).resume},
	"phase":    {"subscription_schedule", (*act).turnPhase},
	"expiring": {"subscription_schedule", (*act).warnOfEnd},
	"finalize": {"invoice", (*act).advance},
	"retry":    {"invoice", (*act).retry},
}

// meet keeps every appointment up to a moment. The lock is held.
func (s *Server) meet(until time.Time) {
	for len(s.due) > 0 && s.due[0].At <= until.Unix() {
		next := heap.Pop(&s.due).(appointment)
		t := s.act(s.accountFor(next.Account, ""))
		t.now = next.At
		keep := keepers[next.What]
		keep.do(t, t.a.get(keep.kind, next.ID))
		s.dirty = true
	}
}

// keepTime keeps appointments and the state file as real time passes. Writing takes at most about a tenth of the time,
// however much there is to write.
func (s *Server) keepTime(ctx context.Context) {
	var rest time.Time
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.mu.Lock()
			s.meet(s.now())
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
