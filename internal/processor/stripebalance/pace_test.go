package stripebalance

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPaceAfterARun(t *testing.T) {
	for _, c := range []struct {
		before pace
		booked int
		after  pace
		delay  time.Duration
	}{
		{pace{}, 1, pace{}, 3 * time.Second},
		{pace{}, batchSize - 1, pace{}, 3 * time.Second},
		{pace{}, batchSize, pace{busy: true}, 9 * time.Second},
		{pace{busy: true}, batchSize, pace{busy: true}, 9 * time.Second},
		{pace{busy: true}, 1, pace{}, 3 * time.Second},
		{pace{busy: true}, 0, pace{idleRuns: 1}, 3 * time.Second},
		{pace{}, 0, pace{idleRuns: 1}, 3 * time.Second},
		{pace{idleRuns: 1}, 0, pace{idleRuns: 2}, 6 * time.Second},
		{pace{idleRuns: 2}, 0, pace{idleRuns: 3}, 12 * time.Second},
		{pace{idleRuns: 8}, 0, pace{idleRuns: 9}, 768 * time.Second},
		{pace{idleRuns: 9}, 0, pace{idleRuns: 10}, 15 * time.Minute},
		{pace{idleRuns: 1_000_000}, 0, pace{idleRuns: 1_000_001}, 15 * time.Minute},
		{pace{idleRuns: 9}, 1, pace{}, 3 * time.Second},
	} {
		t.Run(fmt.Sprintf("%+v, %d booked", c.before, c.booked), func(t *testing.T) {
			require.Equal(t, c.after, c.before.after(c.booked))
			require.Equal(t, c.delay, c.after.delay())
		})
	}
}

// TestPaceIsStoredAsBefore lists values of column idle_looks, which the previous release writes too.
func TestPaceIsStoredAsBefore(t *testing.T) {
	for stored, p := range map[int64]pace{-1: {busy: true}, 0: {}, 1: {idleRuns: 1}, 40: {idleRuns: 40}} {
		t.Run(fmt.Sprint(stored), func(t *testing.T) {
			value, err := p.Value()
			require.NoError(t, err)
			require.Equal(t, stored, value)
			var read pace
			require.NoError(t, read.Scan(stored))
			require.Equal(t, p, read)
		})
	}
	require.Error(t, new(pace).Scan(int64(-2)))
	require.Error(t, new(pace).Scan("1"))
}
