package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// clock tells the time of business: when a gift is begun, when its payment page runs out. It is the machine's
// clock, unless a stand-in for Stripe has moved its own; then it follows that one. Signatures are
// always judged by the machine's clock.
type clock struct {
	ahead atomic.Int64
	ask   func(ctx context.Context) // looks at the stand-in's clock; nil: there is none
}

// Now is the time of business, as of the last look.
func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// Fresh is the time of business by a look of this moment. It may ask over the network: never call it inside a
// transaction.
func (c *clock) Fresh() time.Time {
	if c.ask != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer cancel()
		c.ask(ctx)
	}
	return c.Now()
}

// follow looks at a stand-in's clock now and then a few times a second, until ctx ends. One without a clock
// moves nothing.
func (c *clock) follow(ctx context.Context, standIn string) {
	client, address := &http.Client{Timeout: time.Second}, strings.TrimSuffix(standIn, "/")+"/_sandbox/clock"
	c.ask = func(ctx context.Context) { c.look(ctx, client, address) }
	c.Fresh()
	go func() {
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				c.ask(ctx)
			}
		}
	}()
}

func (c *clock) look(ctx context.Context, client *http.Client, address string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return
	}
	response, err := client.Do(request)
	if err != nil {
		return // the stand-in is away; the time goes on as it was
	}
	defer response.Body.Close()
	var told struct {
		Now int64 `json:"now"` // Unix seconds
	}
	if response.StatusCode != http.StatusOK || json.NewDecoder(response.Body).Decode(&told) != nil || told.Now == 0 {
		return
	}
	// Whole seconds, cut off: less than two ahead is the same time.
	ahead := time.Until(time.Unix(told.Now, 0))
	if ahead < 2*time.Second {
		ahead = 0
	}
	c.ahead.Store(int64(ahead))
}
