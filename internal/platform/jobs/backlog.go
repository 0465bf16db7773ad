package jobs

import (
	"context"
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
