package stripepay

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestYieldWaitsForTheCrowdToPassAndNotForEver(t *testing.T) {
	t.Parallel()
	waited := func(t *testing.T, ctx context.Context, after time.Duration) time.Duration {
		t.Helper()
		d := NewDrain(&Drain{})
		d.crowded.Store(true)
		time.AfterFunc(after, func() { d.crowded.Store(false) })
		began := time.Now()
		d.Yield(ctx)
		return time.Since(began)
	}
	synctest.Test(t, func(t *testing.T) {
		require.InDelta(t, time.Second, waited(t, t.Context(), time.Second), float64(25*time.Millisecond))
		require.InDelta(t, yieldFor, waited(t, t.Context(), time.Hour), float64(25*time.Millisecond))
		over, end := context.WithCancel(t.Context())
		end()
		require.Zero(t, waited(t, over, time.Second))
		began := time.Now()
		NewDrain(&Drain{}).Yield(t.Context())
		require.Zero(t, time.Since(began), "no crowd")
	})
}
