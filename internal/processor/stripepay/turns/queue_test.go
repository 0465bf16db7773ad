package turns

import (
	"context"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// burst makes n calls of a priority at once.
func burst(t *testing.T, q *Queue, p Priority, n int) (waits func() []time.Duration) {
	var all []time.Duration
	var mu sync.Mutex
	var calls sync.WaitGroup
	began := time.Now()
	for range n {
		calls.Go(func() {
			if assert.NoError(t, q.Wait(With(t.Context(), p))) {
				mu.Lock()
				defer mu.Unlock()
				all = append(all, time.Since(began))
			}
		})
	}
	return func() []time.Duration {
		calls.Wait()
		return all
	}
}

// wait makes one call and returns how long it waited.
func wait(t *testing.T, q *Queue, p Priority) time.Duration {
	t.Helper()
	began := time.Now()
	require.NoError(t, q.Wait(With(t.Context(), p)))
	return time.Since(began)
}

// TestGiftsComeFirst: during a burst of a thousand acts and imports, every gift gets its turn at once. No second has
// more calls than the limit, with those that were saved before.
func TestGiftsComeFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(20)
		acts := burst(t, q, Act, 500)
		synctest.Wait() // all wait, so no import has the first turn
		imports := burst(t, q, Import, 500)
		synctest.Wait()
		for range 50 {
			require.LessOrEqual(t, wait(t, q, Gift), 50*time.Millisecond)
			time.Sleep(100 * time.Millisecond)
		}
		waited := acts()
		took := waited[len(waited)-1]
		require.Greater(t, took, 20*time.Second, "500 acts and 50 gifts")
		require.Less(t, took, 30*time.Second)
		first := imports()[0]
		require.Greater(t, first, 20*time.Second, "imports wait for acts")
		perSecond := map[int]int{}
		for _, w := range waited {
			perSecond[int(w/time.Second)]++
		}
		for second, n := range perSecond {
			require.LessOrEqual(t, n, 24, "second %d", second)
		}
	})
}

// TestSavedTurns: a fifth of a second's turns is saved. An act leaves a half of them to gifts, an import more.
func TestSavedTurns(t *testing.T) {
	for p, want := range map[Priority]int{Gift: 4, Act: 2, Import: 1} {
		synctest.Test(t, func(t *testing.T) {
			q, atOnce := New(20), 0
			for wait(t, q, p) == 0 {
				atOnce++
			}
			require.Equal(t, want, atOnce)
			require.Zero(t, wait(t, New(20), p))
		})
	}
}

// TestRefusedCalls: after Stripe refused a call, only gifts get turns for a second, also without a limit of ours.
func TestRefusedCalls(t *testing.T) {
	for _, rate := range []float64{20, math.Inf(1)} {
		synctest.Test(t, func(t *testing.T) {
			q := New(rate)
			require.Zero(t, wait(t, q, Act))
			q.SlowDown()
			acts, imports := burst(t, q, Act, 1), burst(t, q, Import, 1)
			synctest.Wait()
			require.Zero(t, wait(t, q, Gift))
			require.Equal(t, slowDown, acts()[0])
			require.GreaterOrEqual(t, imports()[0], slowDown)
		})
	}
}

// TestACallThatGivesUp leaves the queue: its turn goes to another call.
func TestACallThatGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(1)
		require.Zero(t, wait(t, q, Gift))
		ctx, cancel := context.WithTimeout(With(t.Context(), Gift), 100*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, q.Wait(ctx), context.DeadlineExceeded)
		require.InDelta(t, 0.9, wait(t, q, Gift).Seconds(), 0.003)
		require.Equal(t, Act, priorityOf(context.Background()))
	})
}
