package event

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestYieldWaitsForABusyWorkerAndEnds(t *testing.T) {
	t.Parallel()
	waited := func(t *testing.T, ctx context.Context, after time.Duration) time.Duration {
		t.Helper()
		d := NewWorker(&Worker{})
		d.overloaded.Store(true)
		time.AfterFunc(after, func() { d.overloaded.Store(false) })
		began := time.Now()
		d.Yield(ctx)()
		return time.Since(began)
	}
	synctest.Test(t, func(t *testing.T) {
		require.InDelta(t, time.Second, waited(t, t.Context(), time.Second), float64(5*time.Millisecond))
		require.InDelta(t, maxYield, waited(t, t.Context(), time.Hour), float64(5*time.Millisecond))
		over, end := context.WithCancel(t.Context())
		end()
		require.Zero(t, waited(t, over, time.Second))
		d, began := NewWorker(&Worker{}), time.Now()
		var turns []func()
		for range cap(d.yieldSlots) {
			turns = append(turns, d.Yield(t.Context()))
		}
		require.Zero(t, time.Since(began), "no batch is full")
		d.Yield(t.Context())()
		require.Equal(t, maxYield, time.Since(began), "all turns are taken")
		for _, done := range turns {
			done()
		}
		began = time.Now()
		d.active.Store(1)
		time.AfterFunc(2*time.Millisecond, func() { d.active.Store(0) })
		d.Yield(t.Context())()
		require.InDelta(t, 2*time.Millisecond, time.Since(began), float64(time.Millisecond), "a batch is under way")
		began = time.Now()
		d.active.Store(1)
		d.Yield(t.Context())()
		require.InDelta(t, shortYield, time.Since(began), float64(time.Millisecond), "gifts come evenly: emails go on")
	})
}
