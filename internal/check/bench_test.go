package check_test

import (
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/check"
	"konbit/internal/ledger"
	"konbit/internal/testkit/house"
	"konbit/internal/testkit/many"
)

// BenchmarkLook looks at the books of two hundred thousand gifts, and tells what each checker took.
func BenchmarkLook(b *testing.B) {
	h := house.New(b, house.Options{})
	require.NoError(b, many.Fill(b.Context(), h.DB.Owner, 200_000, 1))
	h.Exec(`ANALYZE`)
	for b.Loop() {
		require.NoError(b, ledger.Snapshot(b.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
			all, err := check.Look(b.Context(), tx)
			require.Empty(b, check.Rows(all))
			for _, f := range all {
				b.ReportMetric(f.Took.Seconds(), f.No+"-s")
			}
			return err
		}))
	}
}
