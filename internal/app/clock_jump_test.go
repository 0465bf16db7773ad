package app

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/short"
)

// TestTasksRunAtOnceWhenTheClockJumps: in the demo a month may pass in a second. Reminders, statements and erasures
// that became due must not wait for their next turn of the machine's clock.
func TestTasksRunAtOnceWhenTheClockJumps(t *testing.T) {
	short.Skip(t, "seconds of the machine's clock")
	var ahead, runs atomic.Int64
	clocks := Clocks{Wall: time.Now, Business: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }}
	a := &App{resources: Resources{Clocks: clocks}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go a.repeat(ctx, periodicTask{"a task", time.Hour, func(context.Context) error {
		runs.Add(1)
		return nil
	}})
	require.Eventually(t, func() bool { return runs.Load() == 1 }, 20*time.Second, 10*time.Millisecond)
	ahead.Store(int64(30 * 24 * time.Hour))
	require.Eventually(t, func() bool { return runs.Load() == 2 }, 20*time.Second, 10*time.Millisecond)
	time.Sleep(2 * jumpInterval)
	require.EqualValues(t, 2, runs.Load(), "one jump, one run")
	require.Eventually(t, func() bool { return runs.Load() == 3 }, time.Minute, 10*time.Millisecond, "and one when the events of the jump have arrived")
}
