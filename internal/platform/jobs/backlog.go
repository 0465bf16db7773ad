package jobs

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// Backlog counts the jobs that are not done.
type Backlog struct {
	Waiting   int `db:"waiting"` // for their first attempt or a scheduled time
	Running   int `db:"running"`
	Failing   int `db:"failing"`  // failed, and retried later
	Discarded int `db:"given_up"` // failed maxAttempts times; never retried
	// Oldest is the age of the oldest job that is not done; 0 if there is none.
	Oldest time.Duration
}

// ReadBacklog counts the jobs that are not done.
func ReadBacklog(ctx context.Context, q sqlx.QueryerContext) (Backlog, error) {
	const query = `/* jobs.ReadBacklog */
		SELECT count(*) FILTER (WHERE state IN ('available', 'scheduled', 'pending')) AS waiting,
		       count(*) FILTER (WHERE state = 'running') AS running,
		       count(*) FILTER (WHERE state = 'retryable') AS failing,
		       count(*) FILTER (WHERE state = 'discarded') AS given_up,
		       coalesce(extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE state <> 'discarded')), 0)::float8 AS seconds
		  FROM river_job WHERE state IN ('available', 'scheduled', 'pending', 'running', 'retryable', 'discarded')`
	var read struct {
		Backlog
		Seconds float64 `db:"seconds"`
	}
	err := sqlx.GetContext(ctx, q, &read, query)
	read.Oldest = time.Duration(read.Seconds * float64(time.Second))
	return read.Backlog, err
}

// QueueBacklog is what waits in one queue.
type QueueBacklog struct {
	Queue   QueueName
	Due     int           // jobs that could run now, and wait for a slot
	Delayed time.Duration // how long the oldest of them has been due; 0 if there is none
	// Stuck reports that a job has been due for longer than work in this queue may take.
	Stuck bool
}

// ReadQueues returns what waits in each queue, by name.
func ReadQueues(ctx context.Context, q sqlx.QueryerContext) ([]QueueBacklog, error) {
	const query = `/* jobs.ReadQueues */
		SELECT queue, count(*) AS due, extract(epoch FROM clock_timestamp() - min(scheduled_at))::float8 AS seconds
		  FROM river_job WHERE state = 'available' AND scheduled_at <= clock_timestamp() GROUP BY queue`
	var rows []struct {
		Queue   string  `db:"queue"`
		Due     int     `db:"due"`
		Seconds float64 `db:"seconds"`
	}
	if err := sqlx.SelectContext(ctx, q, &rows, query); err != nil {
		return nil, err
	}
	all := map[QueueName]QueueBacklog{}
	for name := range policies {
		all[name] = QueueBacklog{Queue: name}
	}
	for _, row := range rows {
		b := QueueBacklog{Queue: QueueName(row.Queue), Due: row.Due, Delayed: time.Duration(row.Seconds * float64(time.Second))}
		p, known := policies[b.Queue]
		b.Stuck = !known || b.Delayed > p.maxOverdue // nothing works an unknown queue
		all[b.Queue] = b
	}
	sorted := make([]QueueBacklog, 0, len(all))
	for _, b := range all {
		sorted = append(sorted, b)
	}
	slices.SortFunc(sorted, func(a, b QueueBacklog) int { return strings.Compare(string(a.Queue), string(b.Queue)) })
	return sorted, nil
}
