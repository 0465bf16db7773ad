package bench

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
)

// backlog measures from the first booked gift, so that the program's start is not counted.
var backlog = Row{
	Name:  "backlog",
	Claim: "stored events processed by one server, compared with N with one client",
	Measure: func(t testing.TB, m *Meter) {
		w := newEnvironment(t, e2e.Options{Stopped: true})
		r := newBaseline(t, w.model)
		n := m.Size(100_000/m.Rounds, 4000)
		m.Interleave(
			func() { m.Note("konbit", w.measureBacklog(n)) },
			func() { m.Note("N", r.naive(1, 500)) },
		)
		m.Compare("", "gifts/s", "konbit", "N", AtLeast(5))
	},
}

// measureBacklog stores n events while the server is stopped, starts it and returns the gifts booked a second.
func (w *environment) measureBacklog(n int) float64 {
	w.t.Helper()
	w.storeEvents(w.insertPaidGifts(n))
	before := w.countReceipts()
	w.Launch()
	w.waitForReceipts(before + 1)
	first, began := w.countReceipts(), time.Now()
	w.waitForReceipts(before + n)
	rate := float64(before+n-first) / time.Since(began).Seconds()
	w.Kill()
	_, err := w.DB.Owner.Exec(`DELETE FROM river_job`) // email jobs of this round, which no row measures
	require.NoError(w.t, err)
	return rate
}

// storeEvents inserts events as the webhook handler does.
func (w *environment) storeEvents(all []paidGift) {
	w.t.Helper()
	for first := 0; first < len(all); first += 2000 {
		part := all[first:min(first+2000, len(all))]
		ids, bodies, sums := make(pq.StringArray, len(part)), make(pq.ByteaArray, len(part)), make(pq.ByteaArray, len(part))
		for i, p := range part {
			sum := sha256.Sum256(p.body)
			ids[i], bodies[i], sums[i] = p.event, p.body, sum[:]
		}
		_, err := w.DB.Owner.Exec(`INSERT INTO stripe_event (entity_id, id, type, api_version, created_at, payload, payload_sha256)
			SELECT (SELECT id FROM legal_entity WHERE slug = 'tsne'), u.id, 'charge.succeeded', '2023-10-16', now(), u.body, u.sum
			  FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS u (id, body, sum)`, ids, bodies, sums)
		require.NoError(w.t, err)
	}
}
