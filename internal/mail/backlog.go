package mail

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
)

// Backlog is the letters no mail server has accepted. Letters still to be written are jobs.
type Backlog struct {
	Waiting int `db:"waiting"` // tried again later
	Refused int `db:"refused"` // for good
	// Oldest is the age of the oldest letter waiting; 0 when there is none.
	Oldest time.Duration
}

// ReadBacklog counts letters not accepted.
func ReadBacklog(ctx context.Context, q sqlx.QueryerContext) (Backlog, error) {
	const query = `/* mail.ReadBacklog */
		SELECT count(*) FILTER (WHERE refused_at IS NULL) AS waiting, count(refused_at) AS refused,
		       coalesce(extract(epoch FROM clock_timestamp() - min(ordered_at) FILTER (WHERE refused_at IS NULL)), 0)::float8 AS seconds
		  FROM letter_delivery WHERE accepted_at IS NULL`
	var read struct {
		Backlog
		Seconds float64 `db:"seconds"`
	}
	err := sqlx.GetContext(ctx, q, &read, query)
	read.Oldest = time.Duration(read.Seconds * float64(time.Second))
	return read.Backlog, err
}
