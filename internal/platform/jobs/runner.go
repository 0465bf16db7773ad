package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivertype"

	"konbit/internal/platform/pg"
)

const (
	// Timeout bounds one attempt of a job.
	Timeout = 20 * time.Second
	// Lease is how long a job may run before another worker takes it over.
	Lease = Timeout + 5*time.Second

	rescueInterval = 5 * time.Second
	// The delay doubles with each failure, from firstRetryDelay to maxRetryDelay, each randomised by half. So after an
	// outage of hours every job runs within nine minutes.
	firstRetryDelay = time.Second
	maxRetryDelay   = 6 * time.Minute
)

// Option changes a Runner.
type Option func(*river.Config)

// RetryWithin sets the delays of failed jobs in all queues: from first, doubling, to longest, each randomised by half.
func RetryWithin(first, longest time.Duration) Option {
	return func(c *river.Config) {
		c.RetryPolicy = backoff{first: first, max: func(QueueName) time.Duration { return longest }}
	}
}

// Slots sets how many jobs of a queue run at once.
func Slots(name QueueName, n int) Option {
	return func(c *river.Config) {
		queue := c.Queues[string(name)]
		queue.MaxWorkers = n
		c.Queues[string(name)] = queue
	}
}

// Handlers maps each kind of job to its function.
type Handlers struct {
	workers *river.Workers
	queues  map[string]QueueName
	// Observe is called after every attempt of a job, unless nil. It is set before a runner is made.
	Observe func(kind string, err error, took time.Duration)
	// Before is called before every attempt of a job, unless nil. If it returns an error, the attempt fails with it. It is
	// set before a runner is made.
	Before func(ctx context.Context, queue QueueName) error
}

// NewHandlers returns an empty table of handlers.
func NewHandlers() *Handlers {
	return &Handlers{workers: river.NewWorkers(), queues: map[string]QueueName{}}
}

// Queues returns the queue of each kind of job that has a handler.
func (h *Handlers) Queues() map[string]QueueName { return maps.Clone(h.queues) }

// Handle registers do for jobs of type T. If do returns an error, the job is retried later. It panics if no runner
// works the queue of T, so that the program does not start.
func Handle[T Job](h *Handlers, do func(ctx context.Context, job T) error) {
	var zero T
	if _, known := policies[zero.Queue()]; !known || zero.Queue() == previous {
		panic(fmt.Sprintf("jobs: the kind %q has no queue: %q", zero.Kind(), zero.Queue()))
	}
	h.queues[zero.Kind()] = zero.Queue()
	river.AddWorker(h.workers, river.WorkFunc(func(ctx context.Context, job *river.Job[T]) error {
		began := time.Now()
		var err error
		if h.Before != nil {
			err = h.Before(ctx, zero.Queue())
		}
		if err == nil {
			err = do(ctx, job.Args)
		}
		if h.Observe != nil {
			h.Observe(job.Kind, err, time.Since(began))
		}
		return err
	}))
}

// Runner runs jobs until it is stopped.
type Runner struct {
	db     *sqlx.DB
	client *river.Client[*sql.Tx]
	log    *slog.Logger
	clock  *clock
	end    context.CancelFunc
	ended  chan struct{}
}

// NewRunner returns a runner of about slots jobs at once, which the queues share; each queue has at least one.
func NewRunner(db *sqlx.DB, h *Handlers, slots int, log *slog.Logger, options ...Option) (*Runner, error) {
	config := &river.Config{
		Queues:      queueConfigs(slots),
		Workers:     h.workers,
		Logger:      slog.New(warningsHandler{log.Handler()}),
		MaxAttempts: maxAttempts,
		RetryPolicy: backoff{first: firstRetryDelay, max: func(name QueueName) time.Duration { return policies[name].maxDelay }},
		JobTimeout:  Timeout,
		PollOnly:    true,
		// Rebuilding indexes needs their owner, and the server's role owns none.
		ReindexerSchedule: river.NeverSchedule(),
	}
	for _, set := range options {
		set(config)
	}
	r := &Runner{db: db, log: log, clock: &clock{}, ended: make(chan struct{})}
	if b, ours := config.RetryPolicy.(backoff); ours {
		b.clock = r.clock
		config.RetryPolicy = b
	}
	config.Test.Time = r.clock // River has no other way to set its clock
	var err error
	if r.client, err = river.NewClient(riverdatabasesql.New(db.DB), config); err != nil {
		return nil, err
	}
	return r, nil
}

// Start starts running jobs in the background.
func (r *Runner) Start() error {
	ctx, end := context.WithCancel(context.Background())
	r.end = end
	if err := r.clock.read(ctx, r.db); err != nil {
		end()
		return err
	}
	if err := r.client.Start(ctx); err != nil {
		end()
		return err
	}
	go r.rescue(ctx)
	return nil
}

// Stop starts no more jobs and waits for the running ones until ctx ends. A job that is still running then is
// cancelled and returns to the queue.
func (r *Runner) Stop(ctx context.Context) error {
	err := r.client.Stop(ctx)
	if err != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		err = r.client.StopAndCancel(last)
	}
	r.end()
	<-r.ended
	return err
}

// rescue takes over the jobs of dead workers. River does the same, but only in an elected leader and every half
// minute, which is long for a donor who waits for a receipt.
func (r *Runner) rescue(ctx context.Context) {
	defer close(r.ended)
	tick := time.NewTicker(rescueInterval)
	defer tick.Stop()
	for {
		if err := r.clock.read(ctx, r.db); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "jobs: cannot read the database's clock", "error", err)
		}
		if n, err := rescueStuck(ctx, r.db); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "jobs: rescue failed", "error", err)
		} else if n > 0 {
			r.log.InfoContext(ctx, "jobs: took over the jobs of a worker that stopped", "jobs", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func rescueStuck(ctx context.Context, db *sqlx.DB) (n int64, err error) {
	const query = `/* jobs.rescueStuck */
		UPDATE river_job SET state = 'available', scheduled_at = now()
		 WHERE state = 'running' AND attempted_at < now() - make_interval(secs => $1)`
	err = pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		done, err := tx.ExecContext(ctx, query, Lease.Seconds())
		if err != nil {
			return err
		}
		n, err = done.RowsAffected()
		return err
	})
	return n, err
}

// backoff doubles the delay from first to the longest of the job's queue, and randomises each delay by half, so that a
// mail server that comes back does not get all retries at once.
type backoff struct {
	first time.Duration
	max   func(QueueName) time.Duration
	clock *clock
}

func (b backoff) NextRetry(job *rivertype.JobRow) time.Time {
	wait := b.max(QueueName(job.Queue))
	if n := len(job.Errors); n < 20 {
		wait = min(b.first<<n, wait)
	}
	return b.clock.NowUTC().Add(wait/2 + rand.N(wait))
}

// warningsHandler drops River's log messages below the level of warnings.
type warningsHandler struct{ slog.Handler }

func (w warningsHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn
}
