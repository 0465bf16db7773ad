package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
)

type errand struct {
	N int `json:"n"`
}

func (errand) Kind() string          { return "errand" }
func (errand) Queue() jobs.QueueName { return jobs.Emails }

func enqueue(t *testing.T, db *sqlx.DB, end error, errands ...jobs.Job) {
	t.Helper()
	queue, err := jobs.NewQueue()
	require.NoError(t, err)
	err = pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
		require.NoError(t, queue.EnqueueTx(t.Context(), tx, errands...))
		return end
	})
	require.ErrorIs(t, err, end)
}

// run starts a runner whose handler of errands is do; stop stops it.
func run(t *testing.T, db *sqlx.DB, do func(context.Context, errand) error) (stop func(time.Duration) error) {
	t.Helper()
	handlers := jobs.NewHandlers()
	jobs.Handle(handlers, do)
	runner, err := jobs.NewRunner(db, handlers, 2, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, runner.Start())
	stopped := false
	stop = func(patience time.Duration) error {
		stopped = true
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return runner.Stop(ctx)
	}
	t.Cleanup(func() {
		if !stopped {
			assert.NoError(t, stop(10*time.Second))
		}
	})
	return stop
}

func states(t *testing.T, db *testkit.Database) []string {
	t.Helper()
	states := []string{}
	require.NoError(t, db.Owner.Select(&states, `SELECT args->>'n' || ' ' || state FROM river_job ORDER BY id`))
	return states
}

func eventually(t *testing.T, db *testkit.Database, want ...string) {
	t.Helper()
	testkit.Eventually(t, 10*time.Second, func() error {
		if got := states(t, db); fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("%v, not %v", got, want)
		}
		return nil
	})
}

func TestAJobIsPartOfItsTransaction(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	enqueue(t, db.Server, errors.New("rolled back"), errand{1}, errand{2})
	assert.Empty(t, states(t, db))
	enqueue(t, db.Server, nil)
	enqueue(t, db.Server, nil, errand{3}, errand{4})
	assert.Equal(t, []string{"3 available", "4 available"}, states(t, db))
}

func TestAFailedJobIsRetried(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	var tries atomic.Int64
	run(t, db.Server, func(_ context.Context, e errand) error {
		if tries.Add(1) == 1 {
			return errors.New("not yet")
		}
		return nil
	})
	enqueue(t, db.Server, nil, errand{1})
	eventually(t, db, "1 completed")
	assert.EqualValues(t, 2, tries.Load())
}

func TestAPanicIsAFailure(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	run(t, db.Server, func(_ context.Context, e errand) error {
		if e.N == 1 {
			panic("broken")
		}
		return nil
	})
	enqueue(t, db.Server, nil, errand{1}, errand{2})
	testkit.Eventually(t, 10*time.Second, func() error {
		var failures int
		if err := db.Owner.Get(&failures, `SELECT coalesce(cardinality(errors), 0) FROM river_job WHERE args->>'n' = '1'`); err != nil {
			return err
		}
		if got := states(t, db); got[1] != "2 completed" || failures == 0 {
			return fmt.Errorf("%v, %d failures noted", got, failures)
		}
		return nil
	})
	assert.NotEqual(t, "1 completed", states(t, db)[0])
}

// TestADeadWorkersJobIsTakenOver: of two running jobs, another worker takes over the one that started longer than Lease
// ago.
func TestADeadWorkersJobIsTakenOver(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	enqueue(t, db.Server, nil, errand{1}, errand{2})
	_, err := db.Owner.Exec(`UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now() - make_interval(secs => $1), attempted_by = ARRAY['dead']
		WHERE args->>'n' = '1'`, jobs.Lease.Seconds()+1)
	require.NoError(t, err)
	_, err = db.Owner.Exec(`UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now() - make_interval(secs => $1), attempted_by = ARRAY['slow']
		WHERE args->>'n' = '2'`, jobs.Timeout.Seconds()-10)
	require.NoError(t, err)
	run(t, db.Server, func(context.Context, errand) error { return nil })
	eventually(t, db, "1 completed", "2 running")
}

func TestStopWaitsForRunningJobs(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	running := make(chan struct{})
	var finished atomic.Bool
	stop := run(t, db.Server, func(context.Context, errand) error {
		close(running)
		time.Sleep(500 * time.Millisecond)
		finished.Store(true)
		return nil
	})
	enqueue(t, db.Server, nil, errand{1})
	<-running
	require.NoError(t, stop(10*time.Second))
	assert.True(t, finished.Load())
	assert.Equal(t, []string{"1 completed"}, states(t, db))
	enqueue(t, db.Server, nil, errand{2})
	time.Sleep(300 * time.Millisecond)
	assert.Equal(t, []string{"1 completed", "2 available"}, states(t, db), "no other job is started")
}

// TestStopDoesNotWaitForEver: a job that still runs at the end of ctx is cancelled and returns to the queue.
func TestStopDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	running := make(chan struct{})
	stop := run(t, db.Server, func(ctx context.Context, _ errand) error {
		close(running)
		<-ctx.Done()
		return ctx.Err()
	})
	enqueue(t, db.Server, nil, errand{1})
	<-running
	began := time.Now()
	_ = stop(300 * time.Millisecond)
	assert.Less(t, time.Since(began), 5*time.Second)
	assert.NotEqual(t, []string{"1 completed"}, states(t, db))
}
