package bench

import (
	"fmt"
	"path"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/stripefake"
)

// calls counts the calls to Stripe for gifts that are given and paid through the stand-in, until all jobs are
// done and fees booked, and for one sweep.
var calls = Row{
	Name:  "calls",
	Claim: "calls to Stripe for each gift, counted at the stand-in, with fees and one sweep",
	Measure: func(t testing.TB, m *Meter) {
		w := newEnvironment(t, e2e.Options{})
		require.NoError(t, w.Stripe().SetMode(stripefake.Normal))
		w.WaitDrained(time.Minute)
		n, donors := m.Size(4000, 1500), 0
		m.Interleave(func() {
			before := len(w.Stripe().Calls())
			var all sync.WaitGroup
			queue := make(chan string)
			for range 8 {
				all.Go(func() {
					for donor := range queue {
						if err := w.Stripe().Pay(path.Base(w.give(donor)), stripefake.GoodCard); err != nil {
							t.Errorf("bench: %v", err)
						}
					}
				})
			}
			for range n {
				donors++
				queue <- fmt.Sprint(donors)
			}
			close(queue)
			all.Wait()
			w.WaitDrained(10 * time.Minute)
			w.Konbit("stripe", "events", "sweep")
			m.Note("calls", float64(len(w.Stripe().Calls())-before)/float64(n))
		})
		m.Absolute("", "calls/gift", "calls", AtMost(1.02))
	},
}
