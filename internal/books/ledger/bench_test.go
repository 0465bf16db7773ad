package ledger

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

var gifts = flag.Int("gifts", 200_000, "how many gifts the books hold in BenchmarkBooks")

// BenchmarkBooks measures the books with -gifts gifts in them, each with its fee, against empty books:
//
//	go test ./internal/books/ledger -run '^$' -bench Books -benchtime 200x -gifts 1000000 -timeout 30m
func BenchmarkBooks(b *testing.B) {
	h := newFixture(b)
	h.rate(b, "warm")
	empty := h.rate(b, "empty")
	h.fill(b, *gifts)

	began := time.Now()
	sealed := h.sealAll(b)
	sealRate := float64(sealed) / time.Since(began).Seconds()
	began = time.Now()
	_, err := TakeSnapshots(b.Context(), h.Server, SnapshotAfter)
	require.NoError(b, err)
	snapshot := time.Since(began)
	full := h.rate(b, "full")
	h.sealAll(b)
	_, err = TakeSnapshots(b.Context(), h.Server, SnapshotAfter)
	require.NoError(b, err)
	b.Run("once", func(b *testing.B) {
		b.ReportMetric(0, "ns/op") // it is measured above
		b.ReportMetric(sealRate, "sealed/s")
		b.ReportMetric(snapshot.Seconds(), "s/first-snapshot")
		b.ReportMetric(empty, "posted/s-empty")
		b.ReportMetric(full/empty, "full/empty")
	})
	b.Run("position", func(b *testing.B) {
		h.unsealed(b, SnapshotAfter) // as many as a balance ever adds up
		for b.Loop() {
			_, err := ReadPosition(b.Context(), h.Server, h.tsne.one)
			require.NoError(b, err)
		}
	})
	b.Run("balance of everything", func(b *testing.B) {
		for b.Loop() {
			_, err := Balance(b.Context(), h.Server, h.names(), Filter{})
			require.NoError(b, err)
		}
	})
	b.Run("nothing to seal", func(b *testing.B) {
		h.sealAll(b)
		for b.Loop() {
			_, err := Seal(b.Context(), h.Server)
			require.NoError(b, err)
		}
	})
	b.Run("no snapshot due", func(b *testing.B) {
		for b.Loop() {
			_, err := TakeSnapshots(b.Context(), h.Server, SnapshotAfter)
			require.NoError(b, err)
		}
	})
	b.Run("verify", func(b *testing.B) {
		began := time.Now()
		entries := h.requireOK(b).Entries
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(entries)/time.Since(began).Seconds(), "verified/s")
	})
}

// rate posts gifts from eight clients for a while and returns the number per second.
func (h fixture) rate(b *testing.B, name string) float64 {
	var posted atomic.Int64
	var clients sync.WaitGroup
	until := time.Now().Add(8 * time.Second)
	for c := range 8 {
		clients.Go(func() {
			for i := 0; time.Now().Before(until); i++ {
				id := fmt.Sprint("pi_", name, "_", c, "_", i)
				if _, err := h.post(b.Context(), h.tsne.gift(id, 5000)); err != nil {
					b.Error(err)
					return
				}
				posted.Add(1)
			}
		})
	}
	clients.Wait()
	return float64(posted.Load()) / 8
}

// unsealed posts entries with the given total of lines to the first fund, in batches.
func (h fixture) unsealed(b *testing.B, lines int) {
	for n := 0; n < lines; n += 200 {
		batch := make([]Entry, 100)
		for i := range batch {
			batch[i] = h.tsne.gift(newID().String(), 100)
		}
		_, err := h.post(b.Context(), batch...)
		require.NoError(b, err)
	}
}

// fill inserts gifts and their fees as rows, without triggers.
func (h fixture) fill(b *testing.B, n int) {
	db := sqlx.MustConnect("postgres", strings.Replace(h.OwnerURL, testkit.OwnerRole+"@", "postgres@", 1))
	defer db.Close()
	tx := db.MustBegin()
	tx.MustExec(`SET LOCAL session_replication_role = replica`)
	const entries = `INSERT INTO journal_entry (id, entity_id, currency, entry_date, fact_date, source, source_id, kind, fact_hash, line_count, dimensions)
		SELECT ('01900000-0000-7000-8%s-' || lpad(to_hex(i), 12, '0'))::uuid, $1, 'USD', '2026-01-01', '2026-01-01', 'stripe', 'pi_bulk_' || i, $3, sha256(i::text::bytea), $4,
		       jsonb_build_object('charge', 'ch_' || i, 'donation', i) FROM generate_series(1, $2::int) i`
	const lines = `INSERT INTO posting (entry_id, n, entity_id, currency, line_count, serial, account_code, fund_id, amount)
		SELECT e.id, l.n, e.entity_id, e.currency, e.line_count, e.serial, l.code, CASE WHEN e.serial %% 4 < 2 THEN $1::uuid WHEN e.serial %% 4 = 2 THEN $2 ELSE $3 END, l.amount
		  FROM journal_entry e CROSS JOIN (VALUES %s) l (n, code, amount) WHERE e.kind = '%s' AND e.source_id LIKE 'pi_bulk_%%'`
	for _, kind := range []struct {
		name, digits, lines string
		count               int
	}{
		{"gift", "000", `(1, '1010', 5000), (2, '4100', -5000)`, 2},
		{"fee", "001", `(1, '5100', 175), (2, '1010', -175), (3, '4900', 175), (4, '4910', -175)`, 4},
	} {
		tx.MustExec(fmt.Sprintf(entries, kind.digits), h.tsne.entity, n, kind.name, kind.count)
		tx.MustExec(fmt.Sprintf(lines, kind.lines, kind.name), h.tsne.one, h.tsne.two, h.tsne.operations)
	}
	require.NoError(b, tx.Commit())
	db.MustExec(`VACUUM ANALYZE journal_entry`)
	db.MustExec(`VACUUM ANALYZE posting`)
}
