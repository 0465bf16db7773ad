package jobs

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
)

// clock returns the database's time: this process's clock plus the offset measured last. River stores some times from
// its process's clock and compares them with the database's. With this clock, processes whose clocks differ agree.
type clock struct{ offset atomic.Int64 }

// NowUTC returns the database's time.
func (c *clock) NowUTC() time.Time { return time.Now().Add(time.Duration(c.offset.Load())).UTC() }

// NowUTCOrNil returns nil: the statement uses the database's now().
func (c *clock) NowUTCOrNil() *time.Time { return nil }

// read measures the offset of the database's clock.
func (c *clock) read(ctx context.Context, db *sqlx.DB) error {
	const query = `/* jobs.read */ SELECT clock_timestamp()`
	var now time.Time
	if err := db.GetContext(ctx, &now, query); err != nil {
		return err
	}
	c.offset.Store(int64(time.Until(now)))
	return nil
}

// databaseTimeClock is the clock of a queue that only adds jobs: the database sets the time of a new job.
type databaseTimeClock struct{}

// NowUTC is not called when a job is added for now.
func (databaseTimeClock) NowUTC() time.Time { return time.Now().UTC() }

// NowUTCOrNil returns the zero time, which River's statement replaces with the database's.
func (databaseTimeClock) NowUTCOrNil() *time.Time { return new(time.Time) }
