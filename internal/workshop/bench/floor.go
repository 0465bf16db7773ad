package bench

import (
	"net/http"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
)

// floor sends webhooks at a fixed rate, without waiting for answers, and raises the rate in steps. PostgreSQL
// reports when the transaction of each receipt was committed. The floor is the last rate at which 99 of 100
// gifts were booked in time.
var floor = Row{
	Name:  "floor",
	Claim: "gifts a second with 99 of 100 booked within 50 ms after their webhook was sent, one server, everything on this machine",
	Measure: func(t testing.TB, m *Meter) {
		w := newEnvironment(t, e2e.Options{})
		r := newBaseline(t, w.model)
		paces := []int{50, 100, 150, 200, 250, 300, 400, 500, 600, 800}
		if m.Quick {
			paces = []int{100, 200, 400}
		}
		m.Interleave(func() {
			m.Note("commit", r.commits(m.Size(300, 100)))
			held := 0
			for _, pace := range paces {
				late := w.sendPaced(pace, time.Duration(m.Size(6, 2))*time.Second)
				w.dropEmails()
				if late > maxBookingTime {
					m.Note("p99 above it", float64(late.Milliseconds()))
					break
				}
				held = pace
				m.Note("p99", float64(late.Milliseconds()))
			}
			m.Note("gifts", float64(held))
		})
		m.Absolute("", "gifts/s", "gifts", AtLeast(200))
		m.Absolute("p99 at the next pace", "ms", "p99 above it", Shown)
		m.Absolute("p99 of a bare commit", "ms", "commit", Shown) // the part of the time that this disk needs
	},
}

// commits inserts n webhook rows at fifty a second, each in its own transaction, and returns the 99th
// percentile in milliseconds.
func (r *baseline) commits(n int) float64 {
	r.t.Helper()
	took := make([]time.Duration, n)
	for i := range took {
		time.Sleep(20 * time.Millisecond)
		began := time.Now()
		_, err := r.db.Owner.Exec(`INSERT INTO event (id, body) VALUES ('commit_' || gen_random_uuid(), $1)`, r.payload)
		require.NoError(r.t, err)
		took[i] = time.Since(began)
	}
	return float64(percentile(took, 99).Microseconds()) / 1000
}

// maxBookingTime is the longest time for a gift from its webhook to its commit.
const maxBookingTime = 50 * time.Millisecond

// sendPaced sends webhooks at a fixed rate for some time and returns the 99th percentile of the time until a gift was
// booked.
func (w *environment) sendPaced(pace int, lasting time.Duration) time.Duration {
	w.t.Helper()
	gifts := w.insertPaidGifts(pace * int(lasting/time.Second))
	requests, target := w.signedWebhooks(gifts), w.countReceipts()+len(gifts)
	_, sent := loadPaced(w.t, host(w.URL()), senders, http.StatusOK, pace, len(requests), func(i int) request { return requests[i] })
	w.waitForReceipts(target)
	return w.bookingDelay(gifts, sent)
}

func (w *environment) bookingDelay(gifts []paidGift, sent []time.Time) time.Duration {
	ids, at := make(pq.StringArray, len(gifts)), make(pq.StringArray, len(gifts))
	for i := range gifts {
		ids[i], at[i] = gifts[i].gift.String(), sent[i].UTC().Format(time.RFC3339Nano)
	}
	var micros []int64
	require.NoError(w.t, w.DB.Owner.Select(&micros, `
		SELECT (extract(epoch FROM pg_xact_commit_timestamp(r.xmin) - u.sent) * 1e6)::bigint
		  FROM unnest($1::uuid[], $2::timestamptz[]) AS u (gift, sent) JOIN receipt r ON r.donation_id = u.gift`, ids, at))
	require.Len(w.t, micros, len(gifts))
	return time.Duration(percentile(micros, 99)) * time.Microsecond
}
