package app

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/installation"
)

// TestReadyWhileTheDatabaseIsSlow: for some seconds after a success, a slow check does not make a server unready. A check
// that fails at once does.
func TestReadyWhileTheDatabaseIsSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("connection refused")
		answers := func(err error) func(context.Context) error { return func(context.Context) error { return err } }
		slow := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		asked := func(r *readiness, do func(context.Context) error) (time.Duration, error) {
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), readyCheck)
			defer cancel()
			err := r.ask(ctx, do)
			return time.Since(began), err
		}
		var r readiness
		_, err := asked(&r, slow)
		require.ErrorIs(t, err, context.DeadlineExceeded, "nothing succeeded yet")
		synctest.Wait()
		_, err = asked(&r, answers(refused))
		require.ErrorIs(t, err, refused)
		_, err = asked(&r, answers(nil))
		require.NoError(t, err)
		succeeded := time.Now()
		for time.Since(succeeded) < readyTrust-readyWithin {
			took, late := asked(&r, slow)
			require.NoError(t, late, time.Since(succeeded).String())
			require.LessOrEqual(t, took, readyWithin)
		}
		time.Sleep(2 * readyWithin)
		_, err = asked(&r, slow)
		require.Error(t, err, "the last success is too old")
		time.Sleep(readyCheck)
		_, err = asked(&r, answers(nil))
		require.NoError(t, err)
		_, err = asked(&r, answers(refused))
		require.ErrorIs(t, err, refused, "however recent the success")
	})
}

// TestOnlyATimeoutIsOutweighed: a check that takes long and then says why the program cannot serve is reported, however
// recent the last success. One that panics fails the request that asked, and the next one is asked again.
func TestOnlyATimeoutIsOutweighed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		after := func(d time.Duration, err error) func(context.Context) error {
			return func(context.Context) error { time.Sleep(d); return err }
		}
		var r readiness
		pending := errors.New("2 migrations to run: konbit migrate")
		require.NoError(t, r.ask(t.Context(), after(0, nil)))
		require.NoError(t, r.ask(t.Context(), after(time.Second, pending)), "not known yet")
		time.Sleep(time.Second - 100*time.Millisecond - readyWithin)
		require.ErrorIs(t, r.ask(t.Context(), after(0, nil)), pending, "the check that ran")
		for _, answer := range []error{pending, fmt.Errorf("key: %w", installation.ErrKey), errors.New("connection refused")} {
			require.NoError(t, r.ask(t.Context(), after(0, nil)))
			require.ErrorIs(t, r.ask(t.Context(), after(200*time.Millisecond, answer)), answer)
		}
		require.NoError(t, r.ask(t.Context(), after(0, nil)))
		require.NoError(t, r.ask(t.Context(), after(200*time.Millisecond, context.DeadlineExceeded)))

		require.PanicsWithValue(t, "", func() {
			defer func() {
				panic(regexp.MustCompile(`(?s)^a defect\n.*ready_test\.go.*$`).ReplaceAllString(fmt.Sprint(recover()), ""))
			}()
			_ = r.ask(t.Context(), func(context.Context) error { panic("a defect") })
		})
		require.NoError(t, r.ask(t.Context(), after(0, nil)), "the program still runs")
	})
}

// TestOneReadyCheckAtATime: many callers at once share one check and its connection.
func TestOneReadyCheckAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r readiness
		var checks atomic.Int32
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				assert.NoError(t, r.ask(t.Context(), func(context.Context) error { checks.Add(1); time.Sleep(time.Second); return nil }))
			})
		}
		all.Wait()
		require.EqualValues(t, 1, checks.Load())
	})
}
