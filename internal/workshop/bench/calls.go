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

// calls counts every call of gifts given and paid in earnest, with their fees booked, until nothing is left to do, and of a sweep.
var calls = Row{
	Name:  "calls",
	Claim: "calls to Stripe a gift, counted at the stand-in, fees and a sweep included",
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
