package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/testkit/many"
)

// growth runs one Konbit of each size at the same time and measures them in turn.
var growth = Row{
	Name: "growth",
	Claim: "settling, and reading the position of a fund, with 100,000 and 1,000,000 gifts in the books, compared " +
		"with 10,000; quick: 50,000 compared with 5,000",
	Measure: func(t testing.TB, m *Meter) {
		sizes := []int{10_000, 100_000, 1_000_000}
		if m.Quick {
			sizes = []int{5_000, 50_000}
		}
		var turns []func()
		for _, size := range sizes {
			w := newEnvironment(t, e2e.Options{Stopped: true})
			require.NoError(t, many.Fill(t.Context(), w.DB.Owner, size, 1))
			w.Restart()
			w.warmUp()
			if size == sizes[len(sizes)-1] {
				m.Note("size", w.wholeBytes()/1e9)
			}
			turns = append(turns, func() {
				read := w.readPositions()
				m.Note(withSize("position", size), percentile(read, 50))
				m.Note(withSize("position, 99th", size), percentile(read, 99))
				m.Note(withSize("settling", size), w.settle(senders, m.Size(2000, 700)))
				m.Note(withSize("position after", size), percentile(w.readPositions(), 50))
				w.dropEmails()
			})
		}
		m.Interleave(turns...)
		for _, size := range sizes[1:] {
			m.Compare(fmt.Sprint("settling, ", size, " gifts"), "gifts/s", withSize("settling", size), withSize("settling", sizes[0]), AtLeast(0.9))
		}
		for _, size := range sizes {
			m.Absolute(fmt.Sprint("position, ", size, " gifts"), "ms", withSize("position", size), Shown)
			m.Absolute(fmt.Sprint("position, ", size, " gifts, p99"), "ms", withSize("position, 99th", size), AtMost(5))
			m.Absolute(fmt.Sprint("position, ", size, " gifts, right after settling"), "ms", withSize("position after", size), Shown)
		}
		largest := sizes[len(sizes)-1]
		goal := AtMost(14)
		if m.Quick {
			goal = Shown // fewer gifts are all of the last 90 days, whose payloads are stored
		}
		m.Absolute(fmt.Sprint("size on disk, ", largest, " gifts"), "GB", "size", goal)
	},
}

func withSize(what string, gifts int) string { return fmt.Sprintf("%s with %d gifts", what, gifts) }

// warmUp settles a few gifts, so that no sample includes the first read of a table.
func (w *environment) warmUp() {
	w.settle(senders, 100)
	w.dropEmails()
}

// readPositions reads the position of the fund with the most postings a hundred times and returns the milliseconds
// of each read.
func (w *environment) readPositions() []float64 {
	w.t.Helper()
	var fund uuid.UUID
	require.NoError(w.t, w.DB.Server.Get(&fund, `SELECT fund_id FROM designation WHERE donation_id = $1`, w.ids["gift"]))
	took := make([]float64, 100)
	for i := range took {
		began := time.Now()
		_, err := ledger.ReadPosition(w.t.Context(), w.DB.Server, fund)
		require.NoError(w.t, err)
		took[i] = float64(time.Since(began).Microseconds()) / 1000
	}
	return took
}

// wholeBytes returns the size of the database as if the program had written it: many.Fill writes short emails, and no
// payloads of events, which the program erases after 90 days. Both are counted as large as those of the model gift.
func (w *environment) wholeBytes() float64 {
	w.t.Helper()
	var missing float64
	require.NoError(w.t, w.DB.Owner.Get(&missing, `
		SELECT (SELECT avg(pg_column_size(e.payload)) FROM stripe_event e WHERE e.payload IS NOT NULL)
		     * (SELECT count(*) FROM stripe_event e WHERE e.payload IS NULL AND e.received_at > (SELECT max(received_at) FROM stripe_event WHERE payload IS NULL) - interval '90 days')
		     + (SELECT sum(r.size - f.size) FROM
		           (SELECT avg(pg_column_size(l.*)) AS size FROM letter l JOIN receipt t ON t.id = l.subject_id WHERE t.donation_id = $1) r,
		           (SELECT pg_column_size(l.*) AS size FROM letter l JOIN receipt t ON t.id = l.subject_id WHERE t.donation_id <> $1) f)`, w.ids["gift"]))
	return w.keptBytes() + missing
}
