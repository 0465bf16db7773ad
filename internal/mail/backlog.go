package mail

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
)

// Backlog counts the stored emails that no mail server has accepted. Emails that are not rendered yet are jobs in the
// queue.
type Backlog struct {
	Waiting int           `db:"waiting"` // will be tried again
	Refused int           `db:"refused"` // refused permanently
	Oldest  time.Duration // age of the oldest waiting email; 0 if none waits
}

// ReadBacklog counts the deliveries that were not accepted. Deliveries that were cancelled or replaced do not count.
func ReadBacklog(ctx context.Context, q sqlx.QueryerContext) (Backlog, error) {
	const query = `/* mail.ReadBacklog */
		SELECT count(*) FILTER (WHERE d.refused_at IS NULL) AS waiting, count(d.refused_at) AS refused,
		       coalesce(extract(epoch FROM clock_timestamp() - min(d.ordered_at) FILTER (WHERE d.refused_at IS NULL)), 0)::float8 AS seconds
		  FROM letter_delivery d
		 WHERE d.accepted_at IS NULL AND d.declined_at IS NULL AND NOT EXISTS (SELECT 1 FROM letter_delivery b
		       WHERE b.letter_id = d.letter_id AND b.cause = 'address' AND b.ordered_at > d.ordered_at)`
	var read struct {
		Backlog
		Seconds float64 `db:"seconds"`
	}
	err := sqlx.GetContext(ctx, q, &read, query)
	read.Oldest = time.Duration(read.Seconds * float64(time.Second))
	return read.Backlog, err
}
