package stripefake

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Mode is how webhooks travel.
type Mode string

// The modes. A dropped delivery is lost for good and its event stays undelivered, for a sweep to find; held ones go
// out with the next Drain.
const (
	Normal    Mode = "normal"    // at once, about in order, eight at a time
	Drop      Mode = "drop"      // not at all
	Delay     Mode = "delay"     // one to three seconds late
	Shuffle   Mode = "shuffle"   // in any order within half a second
	Duplicate Mode = "duplicate" // two to four times each
	Hold      Mode = "hold"      // when Drain says so
)

var modes = []Mode{Normal, Drop, Delay, Shuffle, Duplicate, Hold}

const (
	couriers     = 8
	deliveryTime = 10 * time.Second
	firstRetry   = 500 * time.Millisecond
	longestRetry = 30 * time.Second
	retryFor     = 3 * day // of the stand-in's clock
)

// delivery is one event that is sent to one endpoint.
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

	mu      sync.Mutex
	change  *sync.Cond
	mode    Mode
	ready   []*delivery
	waiting map[*delivery]*time.Timer // for their time, or without a timer for Drain
	flying  int
	closed  bool
}

func newSender(s *Server) *sender {
	c := &sender{s: s, mode: Normal, waiting: map[*delivery]*time.Timer{}, client: &http.Client{
		Timeout:       deliveryTime,
		Transport:     &http.Transport{MaxIdleConnsPerHost: couriers, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	c.change = sync.NewCond(&c.mu)
	return c
}

func (c *sender) start(ctx context.Context) {
	for range couriers {
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

// send hands over a parcel, to travel as the mode says. Server.mu is held, which guards the chance too.
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
			twin := *p
			c.ready = append(c.ready, &twin)
		}
	default:
		c.ready = append(c.ready, p)
	}
	c.change.Broadcast()
}

// within draws a time below d by the seed.
func (c *sender) within(d time.Duration) time.Duration {
	return time.Duration(c.s.chance.Int64N(int64(d)))
}

// wait sets a parcel aside for some time. The lock is held.
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
		c.flying++
		c.mu.Unlock()

		again := c.deliver(ctx, p)

		c.mu.Lock()
		c.flying--
		if again && !c.closed {
			p.tries++
			c.wait(p, min(firstRetry<<min(p.tries-1, 10), longestRetry))
		}
		c.change.Broadcast()
		c.mu.Unlock()
	}
}

// deliver makes one try and tells whether there should be another.
func (c *sender) deliver(ctx context.Context, p *delivery) (again bool) {
	letter, ok := c.s.webhookFor(p)
	if !ok {
		return false
	}
	status, err := c.post(ctx, letter)
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if err == nil && status/100 == 2 {
		p.a.acknowledged(p.event, p.endpoint)
		c.s.dirty = true
		return false
	}
	c.s.log.Debug("stand-in: webhook not taken", "event", p.event, "url", letter.url, "status", status, "error", err)
	pending := slices.Contains(p.a.Pending[p.event], p.endpoint)
	return pending && c.s.now().Unix() < p.a.get("event", p.event).num("created")+retryFor
}

// Drain delivers all that waits, delayed, held and failed parcels included, each one more time, and returns when
// nothing is under way. What fails again waits on. The error is the context's.
func (s *Server) Drain(ctx context.Context) error {
	c := s.courier
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
	for len(c.ready)+c.flying > 0 && ctx.Err() == nil && !c.closed {
		c.change.Wait()
	}
	return ctx.Err()
}

// SetMode changes how webhooks travel from now on. Parcels already under way are not touched.
func (s *Server) SetMode(m Mode) error {
	if !slices.Contains(modes, m) {
		return fmt.Errorf("no mode is called %q; there are %v", m, modes)
	}
	s.courier.mu.Lock()
	defer s.courier.mu.Unlock()
	s.courier.mode = m
	return nil
}

// Resend sends an event so many times more to every endpoint that wants its type, whatever the mode, and returns how
// many deliveries that makes.
func (s *Server) Resend(event string, times int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		ev := a.get("event", event)
		if ev == nil {
			continue
		}
		sent := 0
		s.courier.mu.Lock()
		defer s.courier.mu.Unlock()
		for range times {
			for _, endpoint := range a.endpoints() {
				if wants(endpoint, ev.str("type")) {
					s.courier.ready = append(s.courier.ready, &delivery{a: a, event: event, endpoint: endpoint.str("id")})
					sent++
				}
			}
		}
		s.courier.change.Broadcast()
		return sent, nil
	}
	return 0, fmt.Errorf("no event is called %q", event)
}
