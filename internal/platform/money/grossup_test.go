package money_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"konbit/internal/platform/money"
)

func TestGrossUp(t *testing.T) {
	for _, test := range []struct{ gift, points, fixed, total int64 }{
		{2000, 290, 30, 2091}, // 20.91 − (0.606 + 0.30) = 20.00…
		{2000, 220, 30, 2076},
		{1000, 290, 30, 1061},
		{2000, 0, 0, 2000}, // no fee
		{2000, 0, 30, 2030},
		{9710, 290, 0, 10000}, // exact: nothing to round
		{9711, 290, 0, 10002}, // 10001.03 rounded up
		{1, 9999, 0, 10000},
		{0, 290, 30, 31},
		{99_999_999, 290, 30, 102_986_642},
	} {
		t.Run(fmt.Sprintf("%d with %d bp and %d", test.gift, test.points, test.fixed), func(t *testing.T) {
			total, err := money.New(test.gift, "USD").GrossUp(test.points, test.fixed)
			require.NoError(t, err)
			require.Equal(t, money.New(test.total, "USD"), total, "%+v", test)
		})
	}
}

func TestGrossUpRefuses(t *testing.T) {
	for _, test := range []struct{ gift, points, fixed int64 }{
		{2000, 10_000, 0}, {2000, -1, 0}, {2000, 290, -1}, {-1, 290, 30}, {math.MaxInt64, 0, 1}, {math.MaxInt64, 1, 0}, {math.MaxInt64 / 2, 9999, 0},
	} {
		t.Run(fmt.Sprintf("%d with %d bp and %d", test.gift, test.points, test.fixed), func(t *testing.T) {
			_, err := money.New(test.gift, "USD").GrossUp(test.points, test.fixed)
			require.Error(t, err, "%+v", test)
		})
	}
}

// TestGrossUpLeavesTheGift: for any gift and fee, what remains is at least the gift, and one minor unit less would not
// be enough. The fee is computed in basis points, without rounding.
func TestGrossUpLeavesTheGift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gift := rapid.Int64Range(0, 1e10).Draw(t, "gift")
		points, fixed := rapid.Int64Range(0, 9_999).Draw(t, "points"), rapid.Int64Range(0, 10_000).Draw(t, "fixed")
		grossed, err := money.New(gift, "USD").GrossUp(points, fixed)
		require.NoError(t, err)
		left := func(total int64) int64 { return total*10_000 - total*points - fixed*10_000 }
		require.GreaterOrEqual(t, left(grossed.Minor), gift*10_000)
		require.Less(t, left(grossed.Minor-1), gift*10_000)
	})
}
