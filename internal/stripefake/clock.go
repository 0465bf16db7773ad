package stripefake

import (
	"container/heap"
	"context"
	"time"
)

// appointment is something that happens when the stand-in's clock reaches At.
type appointment struct {
	At      int64
	Account string // its secret key
	What    string // "expire" a session, "settle" or "bounce" a bank debit
	ID      string
}

// agenda is a heap of appointments, earliest first.
type agenda []appointment

func (g agenda) Len() int           { return len(g) }
func (g agenda) Less(i, j int) bool { return g[i].At < g[j].At }
func (g agenda) Swap(i, j int)      { g[i], g[j] = g[j], g[i] }
func (g *agenda) Push(x any)        { *g = append(*g, x.(appointment)) }
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

// meet keeps every appointment up to a moment. The lock is held.
func (s *Server) meet(until time.Time) {
	for len(s.due) > 0 && s.due[0].At <= until.Unix() {
		next := heap.Pop(&s.due).(appointment)
		t := s.act(s.accountFor(next.Account, ""))
		t.now = next.At
		switch next.What {
		case "expire":
			t.expire(t.a.get("checkout.session", next.ID))
		case "bounce":
			t.bounce(t.a.get("charge", next.ID))
		case "settle":
			t.settle(t.a.get("charge", next.ID))
		}
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
