package chaos

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/pgproxy"
	"konbit/internal/workshop/stripefake"
)

func init() {
	register(Row{
		Name: "kills", No: "1", Short: 2 * shortLife.kills, Long: 20 * fullLife.kills, Prove: Kills,
		Promise: "kill -9 of any of the servers at random moments, while people give and Stripe, mail, database and each step of a gift " +
			"fail by a seed: no invariant broken; ready within 5 s; when the faults end, all work done within 60 s and each gift " +
			"settled exactly once",
	})
}

const (
	ready   = 5 * time.Second  // after a start
	drained = 60 * time.Second // after the last kill
	patient = 2 * time.Minute  // how long a donor tries
	giving  = 6                // donors at once
	between = 350              // milliseconds from a kill to the next, at most
)

// A runSize is the size of one run.
type runSize struct{ kills, gifts int }

var (
	shortLife = runSize{20, 100}
	fullLife  = runSize{200, 500}
)

// Kills runs one Konbit after another under faults. All random choices of a run follow from the seed and the
// run's number.
func Kills(t testing.TB, run Run) {
	each := shortLife
	if run.Count > 10*shortLife.kills {
		each = fullLife
	}
	if run.Donations > 0 {
		each.gifts = run.Donations
	}
	for n, left := uint64(0), run.Count; left > 0 && !t.Failed(); n, left = n+1, left-each.kills {
		t.Logf("life %d: -seed %d", n, run.Seed)
		killAtRandom(t, run, run.Seed<<8|n, runSize{min(each.kills, left), each.gifts})
	}
}

// killAtRandom is one run. Safety: under faults, no invariant is broken. Liveness: the faults end, the servers are
// killed a last time, and all work is completed.
func killAtRandom(t testing.TB, run Run, seed uint64, l runSize) {
	s := e2e.Start(t, e2e.Options{Servers: run.servers(), Proxied: true, Stripe: stripefake.Options{Seed: seed | 1, Hang: time.Second}})
	r, f := rand.New(rand.NewPCG(seed, 5)), newFleet(t, s.Servers())
	stop := func() {}
	if run.safety() {
		stop = invariantWatch(t, s.DB.Owner)
	}
	w, donors := startFaults(t, s, seed), newDonorGroup(t, s, l.gifts)
	for n := range l.kills {
		donors.add(l.gifts*(n+1)/l.kills - l.gifts*n/l.kills)
		time.Sleep(time.Duration(r.IntN(between)) * time.Millisecond)
		server := pick(r, f.servers)
		if r.IntN(4) > 0 { // else it may be killed while it starts
			f.waitReady(server)
		}
		f.kill(server)
		run.Progress(1)
	}
	w.stop()
	calmSince := time.Now()
	for _, server := range f.servers {
		f.kill(server)
	}
	for _, server := range f.servers {
		f.waitReady(server)
	}
	donors.wait()
	stop()
	checkAcknowledged(t, s.Stripe(), s.DB.Owner)
	run.Record("slowest start", f.slowestStart().Round(time.Millisecond).String())
	require.Less(t, f.slowestStart(), ready+timingTolerance(run.Count > 10*shortLife.kills))
	var swallowed pgproxy.Counts
	for _, server := range f.servers {
		c := server.Proxy().Counts()
		swallowed.Cut, swallowed.Swallowed = swallowed.Cut+c.Cut, swallowed.Swallowed+c.Swallowed
	}
	t.Logf("connections cut %d, replies of commits swallowed %d", swallowed.Cut, swallowed.Swallowed)
	if run.liveness() {
		waitSettled(t, s, run, l.gifts, drained-time.Since(calmSince))
	}
	for _, server := range f.servers {
		server.Kill()
	}
}

// waitSettled checks that all work is completed in time. A short run makes the leases of killed servers old and does
// not wait for their end.
func waitSettled(t testing.TB, s *e2e.Stack, run Run, gifts int, within time.Duration) {
	t.Helper()
	began := time.Now()
	if run.Count <= 10*shortLife.kills {
		s.AgeLeases()
	}
	s.WaitDrained(within)
	run.Record("drained", time.Since(began).Round(time.Millisecond).String())
	s.RequireGifts(gifts)
	checkAcknowledged(t, s.Stripe(), s.DB.Owner)
	all, err := violations(s.DB.Owner, livenessCheckers...)
	require.NoError(t, err)
	require.Empty(t, all)
}

// donorCrowd lets donors give at the same time through any of the servers.
type donorGroup struct {
	gifts  chan int
	next   int
	donors sync.WaitGroup
	once   sync.Once
}

func newDonorGroup(t testing.TB, s *e2e.Stack, most int) *donorGroup {
	c := &donorGroup{gifts: make(chan int, most)}
	for range giving {
		c.donors.Go(func() {
			for n := range c.gifts {
				give(t, s, n, patient)
			}
		})
	}
	t.Cleanup(c.wait)
	return c
}

// add lets n more donors give.
func (c *donorGroup) add(n int) {
	for range n {
		c.next++
		c.gifts <- c.next
	}
}

// addIfIdle lets one more donor give if none is giving.
func (c *donorGroup) addIfIdle() {
	if len(c.gifts) == 0 {
		c.add(1)
	}
}

// wait returns when all donors have given.
func (c *donorGroup) wait() {
	c.once.Do(func() { close(c.gifts) })
	c.donors.Wait()
}
