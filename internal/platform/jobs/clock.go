package jobs

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
)

// clock is the database's, as far as it was off ours when last read. River dates some things by its process's clock and judges them
// by the database's; told the time by this one, it knows no other, and processes whose clocks differ agree.
type clock struct{ offset atomic.Int64 }

// NowUTC is the database's time.
func (c *clock) NowUTC() time.Time { return time.Now().Add(time.Duration(c.offset.Load())).UTC() }

// NowUTCOrNil is nil: let the database say it in the statement.
func (c *clock) NowUTCOrNil() *time.Time { return nil }

// read finds out how far the database's clock is off ours.
func (c *clock) read(ctx context.Context, db *sqlx.DB) error {
	const query = `/* jobs.read */ SELECT clock_timestamp()`
	var now time.Time
	if err := db.GetContext(ctx, &now, query); err != nil {
		return err
	}
	c.offset.Store(int64(time.Until(now)))
	return nil
}

// unsaid is the clock of a queue, which only adds jobs: the time of a new one is left for the database to say.
type databaseTimeClock struct{}

// NowUTC is not asked for by what is added at once.
func (databaseTimeClock) NowUTC() time.Time { return time.Now().UTC() }

// NowUTCOrNil is the zero time, in whose place River's statement puts the database's.
func (databaseTimeClock) NowUTCOrNil() *time.Time { return new(time.Time) }
