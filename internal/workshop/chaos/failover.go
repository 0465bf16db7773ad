package chaos

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
)

func init() {
	register(Row{
		Name: "failover", Short: 1, Long: 20, Prove: Failover,
		Promise: "switches of the database of two servers to its synchronous standby, the primary killed or cut off, while people give: " +
			"no acknowledged webhook lost, service within 15 s of the promotion, each gift settled exactly once",
	})
}

const (
	servesAgain = 15 * time.Second // after a promotion
	settled     = time.Minute      // after the last switch
)

// Failover switches between two databases. It kills the primary or cuts it off, in turn, and after each switch makes
// the former primary the standby of the new one.
func Failover(t testing.TB, run Run) {
	r := rand.New(rand.NewPCG(run.Seed, 11))
	p := newPair(t, run.Seed)
	s := e2e.Start(t, e2e.Options{Servers: run.servers(), DB: p.Database, Stripe: stripefake.Options{Seed: run.Seed | 1}})
	require.NoError(t, s.Stripe().SetMode(stripefake.Hold))
	c := &webhookSender{s: s, over: make(chan struct{})}
	var people sync.WaitGroup
	var gifts atomic.Int64
	people.Go(c.run)
	for range 3 {
		people.Go(func() {
			for c.running() {
				give(t, s, int(gifts.Add(1)), patient)
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
	slowest := time.Duration(0)
	first := r.IntN(2)
	for n := range run.Count {
		time.Sleep(time.Second + time.Duration(r.IntN(1500))*time.Millisecond)
		p.loseServer((first+n)%2 == 0)
		time.Sleep(time.Duration(r.IntN(1000)) * time.Millisecond)
		acknowledged := c.acknowledged()
		p.promote()
		began := time.Now()
		var stored []string
		p.queryDirectly(&stored, `SELECT id FROM stripe_event`)
		slices.Sort(stored)
		for _, id := range acknowledged {
			_, found := slices.BinarySearch(stored, id)
			require.True(t, found, "event %s was acknowledged and is not in the promoted standby", id)
		}
		for _, server := range s.Servers() {
			testkit.Eventually(t, servesAgain, func() error { return serves(server) })
		}
		slowest = max(slowest, time.Since(began))
		require.Less(t, slowest, servesAgain)
		if run.Count > 1 {
			p.restoreStandby()
		}
		run.Progress(1)
	}
	close(c.over)
	people.Wait()
	run.Record("serving again", slowest.Round(time.Millisecond).String())
	require.NoError(t, s.Stripe().SetMode(stripefake.Normal))
	began := time.Now()
	s.AgeLeases()
	s.WaitDrained(settled)
	run.Record("drained", time.Since(began).Round(time.Millisecond).String())
	s.RequireGifts(int(gifts.Load()))
}

// serves reports whether a server accepts a gift, up to the payment page, which is not paid.
func serves(server *e2e.Server) error {
	_, err := submit(server.URL(), url.Values{
		"form": {uuid.NewString()}, "amount": {"20"}, "frequency": {"once"}, "first_name": {"Only"}, "last_name": {"Looking"},
		"email": {"looking@donor.example"},
	})
	return err
}

// webhookSender delivers Stripe's events to the servers in turn, each until it is acknowledged.
type webhookSender struct {
	s    *e2e.Stack
	over chan struct{}

	mu    sync.Mutex
	taken []string
}

func (c *webhookSender) running() bool {
	select {
	case <-c.over:
		return false
	default:
		return true
	}
}

// run delivers events until the row ends. The stand-in delivers the remaining ones.
func (c *webhookSender) run() {
	var all sync.WaitGroup
	for sent := 0; c.running(); time.Sleep(20 * time.Millisecond) {
		bodies := c.s.Stripe().Bodies("tsne")
		for _, body := range bodies[sent:] {
			all.Go(func() { c.deliver(body) })
		}
		sent = len(bodies)
	}
	all.Wait()
}

func (c *webhookSender) deliver(body []byte) {
	var event struct{ ID string }
	if err := json.Unmarshal(body, &event); err != nil {
		panic(fmt.Sprintf("the stand-in's own event: %v", err))
	}
	servers := c.s.Servers()
	for n := len(body); c.running(); n++ {
		if post(servers[n%len(servers)].URL(), body) == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.taken = append(c.taken, event.ID)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// acknowledged returns the events for which a server has answered 2xx.
func (c *webhookSender) acknowledged() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.taken)
}
