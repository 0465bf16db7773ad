package donation

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
)

// Backlog counts what is begun and not finished.
type Backlog struct {
	Unsettled int           `db:"unsettled"` // donations that are neither paid nor expired nor failed
	FeesDue   int           `db:"fees_due"`  // charges whose processing fee is not booked
	OldestFee time.Duration // age of the oldest charge whose fee is not booked; 0 if there is none
}

// ReadBacklog returns the backlog of all entities.
func ReadBacklog(ctx context.Context, q sqlx.QueryerContext) (Backlog, error) {
	const query = `/* donation.ReadBacklog */
		SELECT (SELECT count(*) FROM donation WHERE status IN ('started', 'processing')) AS unsettled, count(*) AS fees_due,
		       coalesce(extract(epoch FROM clock_timestamp() - min(charged_at)), 0)::float8 AS seconds
		  FROM fee_due`
	var read struct {
		Backlog
		Seconds float64 `db:"seconds"`
	}
	err := sqlx.GetContext(ctx, q, &read, query)
	read.OldestFee = time.Duration(read.Seconds * float64(time.Second))
	return read.Backlog, err
}
