package donation

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
)

// Backlog is what is begun and not ended.
type Backlog struct {
	Unsettled int `db:"unsettled"` // gifts neither paid nor over
	FeesDue   int `db:"fees_due"`  // charges whose fee is not in the books
	// OldestFee is the age of the oldest such charge; 0 when there is none.
	OldestFee time.Duration
}

// ReadBacklog counts what is not ended.
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
