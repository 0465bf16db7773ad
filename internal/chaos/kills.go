package chaos

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/e2e"
	"konbit/internal/stripefake"
)

func init() {
	register(Row{
		Name: "kills", No: "1", Short: 12, Long: 20 * 200, Prove: Kills,
		Promise: "kill -9 at random moments while people give: ready within 5 s, drained within 60 s, each gift its one end",
	})
}

const (
	perLife = 200              // kills of one Konbit
	between = 700              // milliseconds from ready to the next kill, at most
	ready   = 5 * time.Second  // after a start
	drained = 60 * time.Second // after the last kill
	patient = 2 * time.Minute  // how long a donor presses
	giving  = 3                // donors at once
	pause   = 150 * time.Millisecond
)

// Kills kills the server again and again while donors give, and restarts it. After every two hundred kills, and at the end, all gifts
// must be where gifts end. Kills of one such life follow from the seed and its number.
func Kills(t testing.TB, run Run) {
	for first := 0; first < run.Number && !t.Failed(); first += perLife {
		t.Logf("from kill %d: -seed %d", first, run.Seed)
		life(t, rand.New(rand.NewPCG(run.Seed, uint64(first))), min(perLife, run.Number-first), run)
	}
}

// life is one Konbit that is killed n times.
func life(t testing.TB, r *rand.Rand, n int, run Run) {
	s := e2e.Start(t, e2e.Options{Stripe: stripefake.Options{Seed: r.Uint64() | 1}})
	over := make(chan struct{})
	var donors sync.WaitGroup
	var gifts atomic.Int64
	for range giving {
		donors.Go(func() {
			for {
				give(t, s, int(gifts.Add(1)), patient)
				select {
				case <-over:
					return
				case <-time.After(pause):
				}
			}
		})
	}
	slowest := time.Duration(0)
	for range n {
		require.NoError(t, s.Stripe().SetMode(pick(r, []stripefake.Mode{stripefake.Normal, stripefake.Shuffle, stripefake.Duplicate})))
		time.Sleep(time.Duration(r.IntN(between)) * time.Millisecond)
		s.Kill()
		began := time.Now()
		s.Restart()
		slowest = max(slowest, time.Since(began))
		run.Reached(1)
	}
	close(over)
	donors.Wait()
	began := time.Now()
	s.Drained(drained)
	run.Found("slowest start", slowest.Round(time.Millisecond).String())
	run.Found("drained", time.Since(began).Round(time.Millisecond).String())
	require.Less(t, slowest, ready)
	s.WantGifts(int(gifts.Load()))
	s.Kill()
}
