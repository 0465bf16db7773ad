package jobs

import (
	"context"
	"database/sql"
	"log/slog"
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
	// Lease is how long a running job may stay silent before another worker takes it over.
	Lease = Timeout + 5*time.Second

	pollInterval   = 50 * time.Millisecond
	rescueInterval = 5 * time.Second
	// firstWait doubles with each failure up to longestWait. What waits longest comes back within half as much
	// again: nine minutes after an outage of hours at the latest.
	firstRetryDelay = time.Second
	maxRetryDelay   = 6 * time.Minute
)

// An Option changes how a Runner works.
type Option func(*river.Config)

// RetryWithin has failed jobs wait from first, doubling, up to longest, each spread by half either way.
func RetryWithin(first, longest time.Duration) Option {
	return func(c *river.Config) { c.RetryPolicy = backoff{first: first, max: longest} }
}

// Handlers says which function does which kind of job.
type Handlers struct {
	workers *river.Workers
	// Observe is told of every try of a job; nil: nobody is. It is set before a runner is made.
	Observe func(kind string, err error, took time.Duration)
}

// NewHandlers is an empty table of handlers.
func NewHandlers() *Handlers { return &Handlers{workers: river.NewWorkers()} }

// Handle registers do for jobs of type T. An error sends the job back for a later attempt.
func Handle[T Job](h *Handlers, do func(ctx context.Context, job T) error) {
	river.AddWorker(h.workers, river.WorkFunc(func(ctx context.Context, job *river.Job[T]) error {
		began := time.Now()
		err := do(ctx, job.Args)
		if h.Observe != nil {
			h.Observe(job.Kind, err, time.Since(began))
		}
		return err
	}))
}

// Runner works jobs off until it is stopped.
type Runner struct {
	db     *sqlx.DB
	client *river.Client[*sql.Tx]
	log    *slog.Logger
	clock  *clock
	end    context.CancelFunc
	ended  chan struct{}
}

// NewRunner makes a runner with at most parallel jobs at once.
func NewRunner(db *sqlx.DB, h *Handlers, parallel int, log *slog.Logger, options ...Option) (*Runner, error) {
	config := &river.Config{
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: parallel}},
		Workers:           h.workers,
		Logger:            slog.New(warningsHandler{log.Handler()}),
		MaxAttempts:       maxAttempts,
		RetryPolicy:       backoff{first: firstRetryDelay, max: maxRetryDelay},
		JobTimeout:        Timeout,
		PollOnly:          true,
		FetchCooldown:     pollInterval,
		FetchPollInterval: pollInterval,
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
	config.Test.Time = r.clock // the only door River has for it
	var err error
	if r.client, err = river.NewClient(riverdatabasesql.New(db.DB), config); err != nil {
		return nil, err
	}
	return r, nil
}

// Start begins to work jobs off, in the background.
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

// Stop takes no new job and waits for the running ones until ctx ends; what is still running then is
// cancelled and goes back to the queue.
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

// rescue takes over the jobs of dead workers. River does the same, but only from an elected leader and
// every half minute, which is long for a donor waiting for a receipt.
func (r *Runner) rescue(ctx context.Context) {
	defer close(r.ended)
	tick := time.NewTicker(rescueInterval)
	defer tick.Stop()
	for {
		if err := r.clock.read(ctx, r.db); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "jobs: the database's clock cannot be read", "error", err)
		}
		if n, err := rescueStuck(ctx, r.db); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "jobs: rescue failed", "error", err)
		} else if n > 0 {
			r.log.InfoContext(ctx, "jobs: took over from a worker that fell silent", "jobs", n)
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

// backoff doubles from first to longest and spreads each wait by half either way, so that a mail server
// coming back is not met by everybody at once.
type backoff struct {
	first, max time.Duration
	clock      *clock
}

func (b backoff) NextRetry(job *rivertype.JobRow) time.Time {
	wait := b.max
	if n := len(job.Errors); n < 20 {
		wait = min(b.first<<n, b.max)
	}
	return b.clock.NowUTC().Add(wait/2 + rand.N(wait))
}

// warnings leaves out what River tells about its daily life.
type warningsHandler struct{ slog.Handler }

func (w warningsHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn
}
