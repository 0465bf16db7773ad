package bench

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/stripefake"
)

// steady measures whole gifts at a rate that the machine can hold. Work that falls behind, or memory that is never given
// back, shows only after minutes.
var steady = Row{
	Name:  "steady",
	Claim: "whole gifts for ten minutes at 0.8 of the row whole's rate: how long work waits in any queue, and whether the server's memory grows",
	Measure: func(t testing.TB, m *Meter) {
		metricsAddress := freeAddress(t)
		w := newEnvironment(t, e2e.Options{Settings: map[string]string{
			"SMTP_URL": "smtp://" + discardServer(t), "TRUSTED_PROXIES": "127.0.0.1", "METRICS_ADDR": metricsAddress,
			"GIVE_LIMITS": "page=1000000/10m min_fill_time=off",
		}})
		require.NoError(t, w.Stripe().SetMode(stripefake.Normal))
		w.giveWhole(m.Size(200, 50))
		n := m.Size(2000, 400)
		began := time.Now()
		w.giveWhole(n)
		rate := 0.8 * float64(n) / time.Since(began).Seconds()
		lasting := time.Duration(m.Size(600, 60)) * time.Second

		var early, late float64
		var events, emails, jobs, entries, fees, all []float64
		given := w.giveAtRate(rate, lasting, func(at time.Duration) {
			now := w.oldestWaiting()
			events, emails, jobs = append(events, now.Event), append(emails, now.Email), append(jobs, now.Job)
			entries, fees = append(entries, now.Entry), append(fees, now.Fee)
			all = append(all, max(now.Event, now.Email, now.Job, now.Entry))
			switch memory := resident(t, metricsAddress); {
			case at < lasting/5: // caches and connections are being filled
			case at < lasting*3/5:
				early = max(early, memory)
			default:
				late = max(late, memory)
			}
		})
		m.Note("rate", float64(given)/lasting.Seconds())
		m.Note("oldest", slices.Max(all))
		m.Note("above", 100*float64(len(slices.DeleteFunc(slices.Clone(all), func(s float64) bool { return s <= 5 })))/float64(len(all)))
		for name, waited := range map[string][]float64{"event": events, "email": emails, "job": jobs, "entry": entries, "fee": fees} {
			m.Note(name, slices.Max(waited))
		}
		m.Note("late", late)
		m.Note("early", early)
		m.Absolute("rate", "gifts/s", "rate", Shown)
		m.Absolute("oldest waiting row", "s", "oldest", AtMost(5))
		m.Absolute("seconds in which a row was older than 5 s", "%", "above", Shown)
		m.Absolute("oldest event", "s", "event", Shown)
		m.Absolute("oldest email", "s", "email", Shown)
		m.Absolute("oldest other job", "s", "job", Shown)
		m.Absolute("oldest entry without a seal", "s", "entry", Shown)
		m.Absolute("oldest fee that is due", "s", "fee", Shown)
		m.Compare("memory, second half", "MB", "late", "early", AtMost(1.1))
		w.waitUntilDone()
	},
}

// giveAtRate lets donors give at a fixed rate a second, as long as fewer than 64 are at it, and returns how many gave. It
// calls look about every second, with the time since its begin.
func (w *environment) giveAtRate(rate float64, lasting time.Duration, look func(at time.Duration)) (given int) {
	w.t.Helper()
	var mu sync.Mutex
	var failed error
	var donors sync.WaitGroup
	places := make(chan struct{}, 64)
	began, looked := time.Now(), time.Now()
	for n := 0; ; n++ {
		due := time.Duration(float64(n) / rate * float64(time.Second))
		if due >= lasting {
			break
		}
		time.Sleep(time.Until(began.Add(due)))
		if time.Since(looked) > time.Second {
			looked = time.Now()
			look(looked.Sub(began))
		}
		places <- struct{}{}
		donors.Go(func() {
			defer func() { <-places }()
			err := w.giveAndPay(int(w.donors.Add(1)))
			mu.Lock()
			defer mu.Unlock()
			if given++; err != nil && failed == nil {
				failed = err
			}
		})
	}
	donors.Wait()
	require.NoError(w.t, failed)
	return given
}

// waiting is how long the oldest row of each queue has waited, in seconds; 0 if it is empty.
type waiting struct{ Event, Email, Job, Entry, Fee float64 }

// oldestWaiting returns how long the oldest event, email, other job, entry without a seal and fee that is due have waited. Fees wait
// on purpose: while gifts come, Stripe's balance is listed every nine seconds.
func (w *environment) oldestWaiting() (now waiting) {
	w.t.Helper()
	const query = `SELECT greatest(0, extract(epoch FROM now() - event)), greatest(0, extract(epoch FROM now() - email)), greatest(0, extract(epoch FROM now() - job)),
			greatest(0, extract(epoch FROM now() - entry)), greatest(0, extract(epoch FROM now() - fee))
		FROM (SELECT (SELECT min(received_at) FROM stripe_event WHERE state <> 'done') event,
			(SELECT min(scheduled_at) FROM river_job WHERE state = 'available' AND kind LIKE '%letter%') email,
			(SELECT min(scheduled_at) FROM river_job WHERE state = 'available' AND kind NOT LIKE '%letter%') job,
			(SELECT min(recorded_at) FROM journal_entry WHERE serial > (SELECT coalesce(max(serial), 0) FROM ledger_seal)) entry,
			(SELECT min(charged_at) FROM fee_due) fee) oldest`
	require.NoError(w.t, w.DB.Owner.QueryRow(query).Scan(&now.Event, &now.Email, &now.Job, &now.Entry, &now.Fee))
	return now
}
