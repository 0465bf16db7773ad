package stripefake

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Mode says how webhooks are delivered.
type Mode string

// The modes. A dropped delivery is never sent and its event stays undelivered, so that a sweep can find it.
// Drain sends the held deliveries.
const (
	Normal    Mode = "normal"    // at once, roughly in order, eight at a time
	Drop      Mode = "drop"      // never
	Delay     Mode = "delay"     // after one to three seconds
	Shuffle   Mode = "shuffle"   // in random order within half a second
	Duplicate Mode = "duplicate" // two to four times each
	Hold      Mode = "hold"      // when Drain is called
)

var modes = []Mode{Normal, Drop, Delay, Shuffle, Duplicate, Hold}

const (
	senderCount  = 8
	deliveryTime = 10 * time.Second
	firstRetry   = 500 * time.Millisecond
	longestRetry = 30 * time.Second
	retryFor     = 3 * day // of the stand-in's clock
)

// delivery is one event to send to one endpoint.
type delivery struct {
	a               *account
	event, endpoint string
	tries           int
}

// sender sends deliveries. Its lock is taken after Server.mu or alone, never before it.
type sender struct {
	s      *Server
	client *http.Client
	done   sync.WaitGroup

	mu         sync.Mutex
	change     *sync.Cond
	mode       Mode
	ready      []*delivery
	waiting    map[*delivery]*time.Timer // with the timer of the delivery; nil if only Drain sends it
	inProgress int
	closed     bool
}

func newSender(s *Server) *sender {
	c := &sender{s: s, mode: Normal, waiting: map[*delivery]*time.Timer{}, client: &http.Client{
		Timeout:       deliveryTime,
		Transport:     &http.Transport{MaxIdleConnsPerHost: senderCount, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	c.change = sync.NewCond(&c.mu)
	return c
}

func (c *sender) start(ctx context.Context) {
	for range senderCount {
		c.done.Go(func() { c.work(ctx) })
	}
}

func (c *sender) close() {
	c.mu.Lock()
	c.closed = true
	for _, timer := range c.waiting {
		if timer != nil {
			timer.Stop()
		}
	}
	c.change.Broadcast()
	c.mu.Unlock()
	c.done.Wait()
	c.client.CloseIdleConnections()
}

// send queues a delivery according to the mode. The caller holds Server.mu, which also guards the random
// source.
func (c *sender) send(a *account, event, endpoint string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := &delivery{a: a, event: event, endpoint: endpoint}
	switch c.mode {
	case Drop:
	case Hold:
		c.waiting[p] = nil
	case Delay:
		c.wait(p, time.Second+c.within(2*time.Second))
	case Shuffle:
		c.wait(p, c.within(500*time.Millisecond))
	case Duplicate:
		for range 2 + c.s.chance.IntN(3) {
			duplicate := *p
			c.ready = append(c.ready, &duplicate)
		}
	default:
		c.ready = append(c.ready, p)
	}
	c.change.Broadcast()
}

// within draws a random duration below d from the seeded source.
func (c *sender) within(d time.Duration) time.Duration {
	return time.Duration(c.s.chance.Int64N(int64(d)))
}

// wait makes a delivery ready after d. The caller holds the lock.
func (c *sender) wait(p *delivery, d time.Duration) {
	c.waiting[p] = time.AfterFunc(d, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if _, still := c.waiting[p]; still && !c.closed {
			delete(c.waiting, p)
			c.ready = append(c.ready, p)
			c.change.Broadcast()
		}
	})
}

// retryNow makes every waiting delivery ready, in no particular order.
func (c *sender) retryNow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for p, timer := range c.waiting {
		if timer == nil && c.mode == Hold {
			continue
		}
		c.release(p, timer)
	}
	c.change.Broadcast()
}

// releaseHeld makes the deliveries ready that Hold keeps.
func (c *sender) releaseHeld() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for p, timer := range c.waiting {
		if timer == nil {
			c.release(p, timer)
		}
	}
	c.change.Broadcast()
}

func (c *sender) release(p *delivery, timer *time.Timer) {
	if timer != nil {
		timer.Stop()
	}
	delete(c.waiting, p)
	c.ready = append(c.ready, p)
}

func (c *sender) work(ctx context.Context) {
	for {
		c.mu.Lock()
		for len(c.ready) == 0 && !c.closed {
			c.change.Wait()
		}
		if c.closed {
			c.mu.Unlock()
			return
		}
		p := c.ready[0]
		c.ready = c.ready[1:]
		c.inProgress++
		c.mu.Unlock()

		again := c.deliver(ctx, p)

		c.mu.Lock()
		c.inProgress--
		if again && !c.closed {
			p.tries++
			c.wait(p, min(firstRetry<<min(p.tries-1, 10), longestRetry))
		}
		c.change.Broadcast()
		c.mu.Unlock()
	}
}

// deliver makes one attempt and reports whether it must be retried.
func (c *sender) deliver(ctx context.Context, p *delivery) (again bool) {
	request, ok := c.s.webhookFor(p)
	if !ok {
		return false
	}
	status, err := c.post(ctx, request)
	c.s.mu.Lock()
	defer c.s.unlock()
	if err == nil && status/100 == 2 {
		p.a.acknowledged(p.event, p.endpoint)
		c.s.dirty = true
		return false
	}
	c.s.log.Debug("stand-in: webhook not taken", "event", p.event, "url", request.url, "status", status, "error", err)
	pending := slices.Contains(p.a.Pending[p.event], p.endpoint)
	return pending && c.s.now().Unix() < p.a.get("event", p.event).num("created")+retryFor
}

// Drain delivers every waiting delivery (delayed, held and failed ones included) once more and returns when
// none is in progress. A delivery that fails again keeps waiting. The error is the context's.
func (s *Server) Drain(ctx context.Context) error {
	c := s.sender
	defer context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.change.Broadcast()
	})()
	c.mu.Lock()
	defer c.mu.Unlock()
	for p, timer := range c.waiting {
		c.release(p, timer)
	}
	c.change.Broadcast()
	for len(c.ready)+c.inProgress > 0 && ctx.Err() == nil && !c.closed {
		c.change.Wait()
	}
	return ctx.Err()
}

// SetMode changes the mode for events emitted from now on. Deliveries already queued do not change.
func (s *Server) SetMode(m Mode) error {
	if !slices.Contains(modes, m) {
		return fmt.Errorf("no mode is called %q; there are %v", m, modes)
	}
	s.sender.mu.Lock()
	defer s.sender.mu.Unlock()
	s.sender.mode = m
	return nil
}

// Resend sends an event a number of times to every endpoint that subscribes to its type, in any mode,
// and returns the number of deliveries.
func (s *Server) Resend(event string, times int) (int, error) {
	s.mu.Lock()
	defer s.unlock()
	for _, a := range s.accounts {
		ev := a.get("event", event)
		if ev == nil {
			continue
		}
		sent := 0
		s.sender.mu.Lock()
		defer s.sender.mu.Unlock()
		for range times {
			for _, endpoint := range a.endpoints() {
				if wants(endpoint, ev.str("type")) {
					s.sender.ready = append(s.sender.ready, &delivery{a: a, event: event, endpoint: endpoint.str("id")})
					sent++
				}
			}
		}
		s.sender.change.Broadcast()
		return sent, nil
	}
	return 0, fmt.Errorf("no event is called %q", event)
}
