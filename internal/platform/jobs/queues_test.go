package jobs_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/jobs"
	"konbit/internal/workshop/testkit"
)

// queued is a job of any queue. Its zero value is for the handler.
type queued[Q queueOf] struct {
	N int `json:"n"`
}

type queueOf interface{ name() jobs.QueueName }

func (queued[Q]) Kind() string {
	var q Q
	return "test_" + string(q.name())
}

func (queued[Q]) Queue() jobs.QueueName {
	var q Q
	return q.name()
}

type (
	requests struct{}
	signIn   struct{}
	emails   struct{}
	bulk     struct{}
	unknown  struct{}
)

func (requests) name() jobs.QueueName { return jobs.Requests }
func (signIn) name() jobs.QueueName   { return jobs.SignIn }
func (emails) name() jobs.QueueName   { return jobs.Emails }
func (bulk) name() jobs.QueueName     { return jobs.Bulk }
func (unknown) name() jobs.QueueName  { return "nowhere" }

// TestFullQueuesDelayNoOther fills the queues of emails with jobs that never end. Jobs of other queues are done at
// once, and a job that the previous release enqueued too.
func TestFullQueuesDelayNoOther(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	handlers := jobs.NewHandlers()
	var started, done atomic.Int64
	blocked := func(ctx context.Context) error {
		started.Add(1)
		<-ctx.Done()
		return ctx.Err()
	}
	finished := func() error { done.Add(1); return nil }
	jobs.Handle(handlers, func(ctx context.Context, _ queued[emails]) error { return blocked(ctx) })
	jobs.Handle(handlers, func(ctx context.Context, _ queued[bulk]) error { return blocked(ctx) })
	jobs.Handle(handlers, func(context.Context, queued[requests]) error { return finished() })
	jobs.Handle(handlers, func(context.Context, queued[signIn]) error { return finished() })
	runner, err := jobs.NewRunner(db.Server, handlers, 25, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, runner.Start())
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel() // the blocked jobs are cancelled
		_ = runner.Stop(ended)
	})

	var full []jobs.Job
	for n := range 40 {
		full = append(full, queued[emails]{n}, queued[bulk]{n})
	}
	enqueue(t, db.Server, nil, full...)
	testkit.Eventually(t, 20*time.Second, func() error {
		if n := started.Load(); n < 12 {
			return fmt.Errorf("%d emails have started", n)
		}
		return nil
	})
	enqueue(t, db.Server, nil, queued[requests]{1}, queued[signIn]{2})
	_, err = db.Owner.Exec(`INSERT INTO river_job (args, kind, max_attempts, queue, state) VALUES ('{"n": 3}', 'test_requests', 10, 'default', 'available')`)
	require.NoError(t, err)
	testkit.Eventually(t, 15*time.Second, func() error { // before an attempt of an email ends (jobs.Timeout)
		if n := done.Load(); n < 3 {
			return fmt.Errorf("%d of 3 jobs are done", n)
		}
		return nil
	})
	assert.EqualValues(t, 12, started.Load(), "ten slots of emails, two of bulk: less than half of all")
	waiting, err := jobs.ReadQueues(t.Context(), db.Server)
	require.NoError(t, err)
	due := map[jobs.QueueName]int{}
	for _, q := range waiting {
		due[q.Queue] = q.Due
		assert.False(t, q.Stuck, q.Queue)
	}
	assert.Equal(t, map[jobs.QueueName]int{jobs.Requests: 0, jobs.Office: 0, jobs.Syncs: 0, jobs.SignIn: 0, jobs.Emails: 30, jobs.Bulk: 38, "default": 0}, due)
}

func TestStuckQueuesAreReported(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	enqueue(t, db.Server, nil, queued[signIn]{1}, queued[emails]{2}, queued[bulk]{3})
	_, err := db.Owner.Exec(`UPDATE river_job SET scheduled_at = now() - interval '5 minutes'`)
	require.NoError(t, err)
	_, err = db.Owner.Exec(`INSERT INTO river_job (args, kind, max_attempts, queue, state) VALUES ('{}', 'x', 10, 'nowhere', 'available')`)
	require.NoError(t, err)
	all, err := jobs.ReadQueues(t.Context(), db.Server)
	require.NoError(t, err)
	stuck := map[jobs.QueueName]bool{}
	for _, q := range all {
		stuck[q.Queue] = q.Stuck
	}
	assert.Equal(t, map[jobs.QueueName]bool{
		jobs.Requests: false, jobs.Office: false, jobs.Syncs: false, jobs.SignIn: true, jobs.Emails: false, jobs.Bulk: false, "default": false, "nowhere": true,
	}, stuck)
}

func TestKindWithoutQueueDoesNotStart(t *testing.T) {
	assert.PanicsWithValue(t, `jobs: the kind "test_nowhere" has no queue: "nowhere"`, func() {
		jobs.Handle(jobs.NewHandlers(), func(context.Context, queued[unknown]) error { return nil })
	})
}
