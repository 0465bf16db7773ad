package webhook

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
)

// Backlog counts the events that are not done.
type Backlog struct {
	Waiting  int `db:"waiting"`
	Parked   int `db:"parked"`
	SetAside int `db:"set_aside"`
	// Oldest is the age of the oldest event that is waiting or parked; 0 if there is none.
	Oldest time.Duration
}

// ReadBacklog returns the numbers of events that are not done.
func ReadBacklog(ctx context.Context, q sqlx.QueryerContext) (Backlog, error) {
	const query = `/* webhook.ReadBacklog */
		SELECT count(*) FILTER (WHERE state = 'new') AS waiting, count(*) FILTER (WHERE state = 'parked') AS parked,
		       (SELECT count(*) FROM stripe_event WHERE state = 'set_aside') AS set_aside,
		       coalesce(extract(epoch FROM clock_timestamp() - min(received_at)), 0)::float8 AS seconds
		  FROM stripe_event WHERE state IN ('new', 'parked')`
	var read struct {
		Backlog
		Seconds float64 `db:"seconds"`
	}
	err := sqlx.GetContext(ctx, q, &read, query)
	read.Oldest = time.Duration(read.Seconds * float64(time.Second))
	return read.Backlog, err
}
