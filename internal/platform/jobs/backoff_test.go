package jobs

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"
)

// TestAnHourOfOutage: a thousand jobs of the same minute fail for an hour. All are done within ten minutes after its
// end, and only a few of them in the same second.
func TestAnHourOfOutage(t *testing.T) {
	longest := func(QueueName) time.Duration { return maxRetryDelay }
	synctest.Test(t, func(t *testing.T) {
		const jobs, outage, most = 1000, time.Hour, 30
		end := time.Now().Add(outage)
		var mu sync.Mutex
		var last time.Time
		perSecond := map[int64]int{}
		var all sync.WaitGroup
		for i := range jobs {
			all.Go(func() {
				time.Sleep(time.Minute * time.Duration(i) / jobs)
				row := &rivertype.JobRow{}
				for time.Now().Before(end) {
					next := backoff{firstRetryDelay, longest, &clock{}}.NextRetry(row)
					row.Errors = append(row.Errors, rivertype.AttemptError{})
					time.Sleep(time.Until(next))
				}
				mu.Lock()
				defer mu.Unlock()
				perSecond[time.Now().Unix()]++
				if time.Now().After(last) {
					last = time.Now()
				}
			})
		}
		all.Wait()
		require.LessOrEqual(t, last.Sub(end), 10*time.Minute)
		for second, n := range perSecond {
			require.LessOrEqual(t, n, most, "at %s", time.Unix(second, 0))
		}
	})
}
