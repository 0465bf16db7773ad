package check_test

import (
	"fmt"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/office/check"
	"konbit/internal/workshop/testkit/many"
	"konbit/internal/workshop/testkit/program"
)

// BenchmarkRunAll runs the checkers on many gifts, and reports how many seconds each of them took.
func BenchmarkRunAll(b *testing.B) {
	for _, gifts := range []int{10_000, 50_000, 200_000, 1_000_000} {
		b.Run(fmt.Sprint(gifts), func(b *testing.B) { benchmarkRunAll(b, gifts) })
	}
}

func benchmarkRunAll(b *testing.B, gifts int) {
	h := program.New(b, program.Options{})
	require.NoError(b, many.Fill(b.Context(), h.DB.Owner, gifts, 1))
	for b.Loop() {
		require.NoError(b, ledger.ReadConsistent(b.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
			all, err := check.RunAll(b.Context(), tx)
			require.Empty(b, check.Rows(all))
			for _, f := range all {
				b.ReportMetric(f.Took.Seconds(), f.No+"-s")
			}
			return err
		}))
	}
}
