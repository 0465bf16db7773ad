package turns

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// Priority says which calls go first.
type Priority int

// The priorities, the highest first. Act is the priority of a call that names none.
const (
	Gift Priority = iota
	Act
	Import
	priorities
)

// saveUp is the part of a second's turns that is saved when nobody calls. It is small, so that the saved turns and those
// of the next second are together fewer than Stripe's limit.
const saveUp = 0.2

// reserves are the parts of the saved turns that each priority leaves to higher ones.
var reserves = [priorities]float64{Gift: 0, Act: 0.5, Import: 0.7}

// slowDown is how long only gifts get turns after Stripe refused a call with status 429.
const slowDown = time.Second

type priorityKey struct{}

// With returns a context whose calls have a priority.
func With(ctx context.Context, p Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, p)
}

func priorityOf(ctx context.Context) Priority {
	if p, ok := ctx.Value(priorityKey{}).(Priority); ok {
		return p
	}
	return Act
}

// Queue hands out the turns of one account. It is safe for concurrent use.
type Queue struct {
	mu      sync.Mutex
	rate    float64   // turns per second; may be infinite
	most    float64   // turns that can be saved
	saved   float64   // turns that nobody took
	savedAt time.Time // when saved was right
	paused  time.Time // until then only gifts get turns
	waiting [priorities][]chan struct{}
	wake    *time.Timer // nil if nobody waits
}

// New returns a queue of so many turns per second; math.Inf(1) is no limit.
func New(rate float64) *Queue {
	q := &Queue{}
	q.Limit(rate)
	return q
}

// Limit changes the number of turns per second.
func (q *Queue) Limit(rate float64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rate, q.most, q.savedAt = rate, max(rate*saveUp, 1), time.Now()
	q.saved = q.most
	q.grant()
}

// Wait returns when it is the turn of a call. It reports an error if ctx ends before.
func (q *Queue) Wait(ctx context.Context) error {
	p := priorityOf(ctx)
	q.mu.Lock()
	if q.isNext(p) && q.take(p) {
		q.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	q.waiting[p] = append(q.waiting[p], turn)
	q.schedule()
	q.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		q.leave(p, turn)
		return ctx.Err()
	}
}

// SlowDown gives turns only to gifts for a second, because Stripe refuses calls.
func (q *Queue) SlowDown() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.paused = time.Now().Add(slowDown)
	q.schedule()
}

// leave removes a call from those that wait. A turn that it got at the same moment goes to another call.
func (q *Queue) leave(p Priority, turn chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-turn:
		q.saved++
	default:
		q.waiting[p] = slices.DeleteFunc(q.waiting[p], func(other chan struct{}) bool { return other == turn })
	}
	q.grant()
}

// isNext reports whether no call of the same or a higher priority waits.
func (q *Queue) isNext(p Priority) bool {
	return !slices.ContainsFunc(q.waiting[:p+1], func(calls []chan struct{}) bool { return len(calls) > 0 })
}

// take takes a turn and returns true, or returns false if a call of this priority must wait.
func (q *Queue) take(p Priority) bool {
	now := time.Now()
	if p != Gift && now.Before(q.paused) {
		return false
	}
	if math.IsInf(q.rate, 1) {
		return true
	}
	q.saved = min(q.saved+q.rate*now.Sub(q.savedAt).Seconds(), q.most)
	q.savedAt = now
	if q.saved-1 < q.reserve(p) {
		return false
	}
	q.saved--
	return true
}

// reserve returns how many saved turns a call leaves to higher priorities.
func (q *Queue) reserve(p Priority) float64 { return min(q.most*reserves[p], q.most-1) }

// grant gives turns to the calls that wait, the highest priority first. The caller holds the lock.
func (q *Queue) grant() {
	for p := range priorities {
		for len(q.waiting[p]) > 0 {
			if !q.take(p) {
				q.schedule()
				return // a lower priority gets no turn before this one
			}
			close(q.waiting[p][0])
			q.waiting[p] = q.waiting[p][1:]
		}
	}
	q.schedule()
}

// schedule calls grant when the first of the waiting calls can get a turn. The caller holds the lock.
func (q *Queue) schedule() {
	if q.wake != nil {
		q.wake.Stop()
		q.wake = nil
	}
	for p := range priorities {
		if len(q.waiting[p]) > 0 {
			q.wake = time.AfterFunc(q.untilTurn(p), func() {
				q.mu.Lock()
				defer q.mu.Unlock()
				q.grant()
			})
			return
		}
	}
}

// untilTurn returns after how long a call of this priority can get a turn.
func (q *Queue) untilTurn(p Priority) time.Duration {
	var wait time.Duration
	if missing := 1 + q.reserve(p) - q.saved; missing > 0 { // not a number if there is no limit
		wait = time.Duration(missing / q.rate * float64(time.Second))
	}
	if p != Gift {
		wait = max(wait, time.Until(q.paused))
	}
	return max(wait, time.Millisecond)
}
