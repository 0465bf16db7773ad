package money_test

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"konbit/internal/platform/money"
)

// requireExact requires the exact result if it fits in int64, and ErrOverflow otherwise.
func requireExact(t *rapid.T, exact *big.Int, got money.Amount, err error) {
	if !exact.IsInt64() {
		require.ErrorIs(t, err, money.ErrOverflow)
		return
	}
	require.NoError(t, err)
	require.Equal(t, exact.Int64(), got.Minor)
}

// anyInt64 draws numbers of all sizes, often the ends of int64.
func anyInt64() *rapid.Generator[int64] {
	ends := rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64})
	return rapid.OneOf(rapid.Int64(), rapid.Int64Range(-10_000, 10_000), ends)
}

func TestArithmeticNeverWraps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyInt64().Draw(t, "a"), anyInt64().Draw(t, "b")
		x, y := money.New(a, "USD"), money.New(b, "USD")
		sum, err := x.Add(y)
		requireExact(t, new(big.Int).Add(big.NewInt(a), big.NewInt(b)), sum, err)
		difference, err := x.Sub(y)
		requireExact(t, new(big.Int).Sub(big.NewInt(a), big.NewInt(b)), difference, err)
		negative, err := x.Neg()
		requireExact(t, new(big.Int).Neg(big.NewInt(a)), negative, err)
		whole, err := money.Major(a, "USD")
		requireExact(t, new(big.Int).Mul(big.NewInt(a), big.NewInt(100)), whole, err)
	})
}

func TestBasisPointsRoundHalfAwayFromZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, points := anyInt64().Draw(t, "a"), rapid.OneOf(rapid.Int64Range(0, 10_000), anyInt64()).Draw(t, "points")
		got, err := money.New(a, "USD").BasisPoints(points)
		product := new(big.Int).Mul(big.NewInt(a), big.NewInt(points))
		sign := int64(product.Sign())
		exact := new(big.Int).Abs(product)
		exact.Add(exact, big.NewInt(5_000)).Quo(exact, big.NewInt(10_000)).Mul(exact, big.NewInt(sign))
		requireExact(t, exact, got, err)
	})
	for _, test := range []struct{ minor, points, want int64 }{
		{2000, 290, 58}, {50, 100, 1}, {49, 100, 0}, {-50, 100, -1}, {-49, 100, 0}, {150, 100, 2}, {1, 10_000, 1}, {1, 0, 0},
	} {
		t.Run(fmt.Sprintf("%d bp of %d", test.points, test.minor), func(t *testing.T) {
			got, err := money.New(test.minor, "USD").BasisPoints(test.points)
			require.NoError(t, err)
			assert.Equal(t, test.want, got.Minor, "%+v", test)
		})
	}
}

func TestCurrenciesDoNotMix(t *testing.T) {
	dollar, euro := money.New(1, "USD"), money.New(1, "EUR")
	_, err := dollar.Add(euro)
	assert.ErrorIs(t, err, money.ErrCurrency)
	_, err = dollar.Sub(euro)
	assert.ErrorIs(t, err, money.ErrCurrency)
	assert.False(t, money.Currency("usd").Valid())
	assert.False(t, money.Currency("USDX").Valid())
	assert.True(t, money.Currency("USD").Valid())
}

func TestSplitSumsExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := money.New(rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(t, "amount"), "USD")
		weights := rapid.SliceOfN(rapid.Int64Range(0, math.MaxInt64/64), 1, 50).Draw(t, "weights")
		parts, err := amount.Split(weights)
		if !slices.ContainsFunc(weights, func(w int64) bool { return w > 0 }) {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.Len(t, parts, len(weights))
		total, sum := new(big.Int), new(big.Int)
		for _, w := range weights {
			total.Add(total, big.NewInt(w))
		}
		for i, part := range parts {
			sum.Add(sum, big.NewInt(part.Minor))
			require.Equal(t, money.Currency("USD"), part.Currency)
			// Each part lies within one minor unit of its exact share: |part·total − amount·weight| < total.
			off := new(big.Int).Mul(big.NewInt(part.Minor), total)
			off.Sub(off, new(big.Int).Mul(big.NewInt(amount.Minor), big.NewInt(weights[i])))
			require.Negative(t, off.CmpAbs(total), "part %d", i)
			if weights[i] == 0 {
				require.Zero(t, part.Minor)
			}
		}
		require.Equal(t, amount.Minor, sum.Int64())
		again, err := amount.Split(weights)
		require.NoError(t, err)
		require.Equal(t, parts, again)
	})
}

func TestSplitIsStable(t *testing.T) {
	for _, test := range []struct {
		minor   int64
		weights []int64
		want    []int64
	}{
		{100, []int64{1, 1, 1}, []int64{34, 33, 33}}, // a tie goes to the earliest
		{101, []int64{1, 1, 1}, []int64{34, 34, 33}},
		{-100, []int64{1, 1, 1}, []int64{-34, -33, -33}},
		{100, []int64{1, 2}, []int64{33, 67}}, // the largest remainder first
		{1, []int64{0, 5, 5}, []int64{0, 1, 0}},
		{88, []int64{1000, 700, 300}, []int64{44, 31, 13}},
		{0, []int64{3, 4}, []int64{0, 0}},
	} {
		t.Run(fmt.Sprintf("%d by %d", test.minor, test.weights), func(t *testing.T) {
			parts, err := money.New(test.minor, "USD").Split(test.weights)
			require.NoError(t, err)
			got := make([]int64, len(parts))
			for i, p := range parts {
				got[i] = p.Minor
			}
			assert.Equal(t, test.want, got, "%+v", test)
		})
	}
}

func TestSplitRefuses(t *testing.T) {
	for name, weights := range map[string][]int64{
		"no weight": nil, "all zero": {0, 0}, "negative": {1, -1}, "overflowing": {math.MaxInt64, 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := money.New(100, "USD").Split(weights)
			assert.Error(t, err)
		})
	}
	_, err := money.New(math.MinInt64, "USD").Split([]int64{1})
	assert.ErrorIs(t, err, money.ErrOverflow)
}
