package takeout_test

import (
	"archive/zip"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/jmoiron/sqlx"
	"konbit/internal/office/payoutlist"
	"konbit/internal/office/takeout"
	"konbit/internal/processor/payout"
	"konbit/internal/workshop/testkit/many"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
)

func TestMeasure(t *testing.T) {
	if os.Getenv("MEASURE") == "" {
		t.Skip()
	}
	h := program.New(t, program.Options{})
	began := time.Now()
	require.NoError(t, many.Fill(t.Context(), h.DB.Owner, 60_000, 1))
	fmt.Fprintf(os.Stderr, "filled in %s: %v"+"\n", time.Since(began), h.Lines(`SELECT e.slug || ' ' || (SELECT count(*) FROM donor d WHERE d.entity_id = e.id) || ' ' || (SELECT count(*) FROM donation d WHERE d.entity_id = e.id) FROM legal_entity e`))
	var peak atomic.Uint64
	stop := make(chan bool)
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				if m.HeapInuse > peak.Load() {
					peak.Store(m.HeapInuse)
				}
			}
		}
	}()
	for _, slug := range []string{"tsne", "aina"} {
		file, err := os.Create(filepath.Join(t.TempDir(), slug+".zip"))
		require.NoError(t, err)
		began = time.Now()
		to, end := takeout.Zip(file, began)
		written, err := takeout.Write(t.Context(), h.DB.Server, entityOf(h, slug), to, func(w takeout.Written) {
			fmt.Fprintf(os.Stderr, "%s %s %d rows after %s"+"\n", slug, w.Name, w.Rows, time.Since(began))
		})
		require.NoError(t, err)
		require.NoError(t, end())
		info, _ := file.Stat()
		fmt.Fprintf(os.Stderr, "%s: %v, %d bytes in %s"+"\n", slug, written, info.Size(), time.Since(began))
		z, err := zip.OpenReader(file.Name())
		require.NoError(t, err)
		z.Close()
	}
	close(stop)
	fmt.Fprintf(os.Stderr, "peak heap %d MB"+"\n", peak.Load()>>20)
	h.Exec(`INSERT INTO payout (id, entity_id, processor, payout_ref, kind, amount, currency, arrival_on, status, created_at, members_stored, read_at)
		SELECT gen_random_uuid(), id, 'stripe', 'po_many', 'automatic', 1, 'USD', current_date, 'paid', now(), true, now() FROM legal_entity WHERE slug = 'tsne'`)
	h.Exec(`INSERT INTO payout_member (payout_id, entity_id, transaction_id) SELECT o.id, o.entity_id, b.id FROM payout o JOIN LATERAL
		(SELECT id FROM balance_transaction b WHERE b.entity_id = o.entity_id AND b.type = 'charge' ORDER BY created_at DESC LIMIT 5000) b ON true WHERE payout_ref = 'po_many'`)
	h.Exec(`ANALYZE payout; ANALYZE payout_member`)
	fay := office.Add(t, h.DB.Owner, "fay", office.Role{Role: "finance", Entity: "tsne"})
	require.NoError(t, fay.InTx(t, h.DB.Server, func(tx *sqlx.Tx) error {
		_, err := tx.Exec(`SET LOCAL ROLE konbit_office`)
		require.NoError(t, err)
		p, err := payout.ByRef(t.Context(), tx, entityOf(h, "tsne"), "po_many")
		require.NoError(t, err)
		for range 3 {
			step := func(name string, do func() error) {
				began := time.Now()
				require.NoError(t, do())
				fmt.Fprintf(os.Stderr, "%s %s"+"\n", name, time.Since(began))
			}
			var lines []payoutlist.Line
			step("lines", func() (err error) {
				lines, _, err = payoutlist.Lines(t.Context(), tx, p.ID, payoutlist.Place{}, 50)
				return err
			})
			step("parts", func() (err error) { _, err = payoutlist.PartsOf(t.Context(), tx, p.ID, lines); return err })
			step("kinds", func() (err error) { _, err = payoutlist.Kinds(t.Context(), tx, p.ID); return err })
			step("funds", func() (err error) { _, err = payoutlist.Funds(t.Context(), tx, p.ID); return err })
			step("own", func() (err error) { _, err = payoutlist.OwnOf(t.Context(), tx, p.ID); return err })
		}
		for _, q := range []string{"SELECT fund_id, sum(amount) FROM payout_part WHERE payout_id = $1 GROUP BY 1"} {
			var plan []string
			require.NoError(t, tx.Select(&plan, "EXPLAIN (ANALYZE, BUFFERS) "+q, p.ID))
			for _, l := range plan {
				fmt.Println(l)
			}
		}
		return nil
	}))
}
