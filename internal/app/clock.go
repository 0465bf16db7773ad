package app

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Clocks are the clocks that services get. The package documentation lists which service uses which.
type Clocks struct {
	// Business returns the time at which donations are made, plans are due and entries are booked. It is the machine's
	// time unless a stand-in for Stripe has moved its own clock; then it follows the stand-in.
	Business func() time.Time
	// FreshBusiness is Business after asking the stand-in for its time. It may use the network: never call it inside a
	// transaction.
	FreshBusiness func() time.Time
	// Wall returns the machine's time and never moves. It judges signatures, limits and the delivery of emails.
	Wall func() time.Time
}

// jumpInterval is how often periodic tasks look whether the business clock has jumped.
const jumpInterval = time.Second

// afterJump is how long after a jump periodic tasks run once more.
const afterJump = 10 * time.Second

// ahead returns how far the business clock is ahead of the machine's time, to the second; 0 if it was not moved.
func (c Clocks) ahead() time.Duration {
	ahead := c.Business().Sub(c.Wall()).Round(time.Second)
	if ahead < clockPrecision {
		return 0
	}
	return ahead
}

// Shown returns a moment that the machine or the database measured, as people see it: as long before or after the
// business clock's time as it is before or after the machine's. Sessions, links and passes end by the machine's or the
// database's clock, and pages and commands show their times beside business dates.
func (c Clocks) Shown(at time.Time) time.Time { return at.Add(c.ahead()) }

// Measured is the reverse of Shown: it returns which moment of the machine and the database a business time was, by
// the present difference of the clocks. The business clock only moves forward, so the result is never too late.
func (c Clocks) Measured(at time.Time) time.Time { return at.Add(-c.ahead()) }

// MachineClocks returns clocks that all show the machine's time.
func MachineClocks() Clocks { return Clocks{time.Now, time.Now, time.Now} }

// NewClocks returns the clocks for a Stripe API address. If the address is empty (Stripe itself), all clocks show the
// machine's time. Else the business clock follows the clock of the stand-in at that address until ctx ends.
func NewClocks(ctx context.Context, stripeAPIURL string) Clocks {
	if stripeAPIURL == "" {
		return MachineClocks()
	}
	f := &standInClock{
		client:  &http.Client{Timeout: time.Second},
		address: strings.TrimSuffix(stripeAPIURL, "/") + "/_sandbox/clock",
	}
	f.fresh()
	go f.follow(ctx)
	return Clocks{Business: f.now, FreshBusiness: f.fresh, Wall: time.Now}
}

const (
	clockInterval = 250 * time.Millisecond // between two questions for the stand-in's time
	clockTimeout  = 200 * time.Millisecond // for one question that a caller waits for
	// clockPrecision is what a difference must exceed to count. The stand-in sends whole seconds, rounded down.
	clockPrecision = 2 * time.Second
)

// standInClock follows the clock of a stand-in for Stripe. A stand-in without a clock moves nothing.
type standInClock struct {
	client  *http.Client
	address string
	ahead   atomic.Int64 // nanoseconds
}

func (c *standInClock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *standInClock) fresh() time.Time {
	ctx, cancel := context.WithTimeout(context.Background(), clockTimeout)
	defer cancel()
	c.ask(ctx)
	return c.now()
}

// follow asks for the stand-in's time at each interval until ctx ends.
func (c *standInClock) follow(ctx context.Context) {
	tick := time.NewTicker(clockInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.ask(ctx)
		}
	}
}

// ask reads the stand-in's time once. If it does not answer, the difference to the machine's time stays as it was.
func (c *standInClock) ask(ctx context.Context) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address, nil)
	if err != nil {
		return
	}
	response, err := c.client.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	var answer struct {
		Now int64 `json:"now"` // Unix seconds
	}
	if response.StatusCode != http.StatusOK || json.NewDecoder(response.Body).Decode(&answer) != nil || answer.Now == 0 {
		return
	}
	ahead := time.Until(time.Unix(answer.Now, 0))
	if ahead < clockPrecision {
		ahead = 0
	}
	c.ahead.Store(int64(ahead))
}
