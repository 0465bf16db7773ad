package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

// checkClock compares this machine's clock, which judges signatures, with the database's, which judges expiry. They may
// differ by 30 seconds.
func checkClock(ctx context.Context, db *sqlx.DB) error {
	var there time.Time
	before := time.Now()
	if err := db.GetContext(ctx, &there, `/* doctor.checkClock */ SELECT clock_timestamp()`); err != nil {
		return err
	}
	if off := there.Sub(before).Abs(); off > 30*time.Second {
		return fmt.Errorf("this machine and the database differ by %s: synchronise both by NTP", off.Round(time.Second))
	}
	return nil
}
