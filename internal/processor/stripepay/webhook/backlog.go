package webhook

import (
	"context"
	"time"

	"github.com/google/uuid"
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

// Held is the events of an entity that a person should know of.
type Held struct {
	Parked   int `db:"parked"` // for longer than ten minutes
	SetAside int `db:"set_aside"`
}

// HeldOf returns the numbers of an entity's events that are parked for long, or set aside.
func HeldOf(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID) (h Held, err error) {
	const query = `/* webhook.HeldOf */
		SELECT (SELECT count(*) FROM stripe_event WHERE state IN ('new', 'parked') AND state = 'parked' AND entity_id = $1 AND received_at <
			clock_timestamp() - interval '10 minutes') AS parked,
		       (SELECT count(*) FROM stripe_event WHERE state = 'set_aside' AND entity_id = $1) AS set_aside`
	err = sqlx.GetContext(ctx, q, &h, query, entity)
	return h, err
}
