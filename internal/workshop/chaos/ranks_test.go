package chaos

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMannWhitney(t *testing.T) {
	// Hollander and Wolfe (1973), 69: R's wilcox.test(x, y, exact = FALSE, correct = FALSE) returns W = 35, p
	// = 0.2207.
	x := []time.Duration{80, 83, 189, 104, 145, 138, 191, 164, 73, 146}
	y := []time.Duration{115, 88, 90, 74, 121}
	require.InDelta(t, 0.2207, mannWhitney(x, y), 0.0001)
	require.InDelta(t, mannWhitney(x, y), mannWhitney(y, x), 1e-12)
	// Computed by hand: ranks 1.5 1.5 4 and 4 4 6, U = 1, mean 4.5, variance 9/12 · (7 - (6+24)/30) = 4.5.
	require.InDelta(t, 0.0989, mannWhitney([]time.Duration{1, 1, 2}, []time.Duration{2, 2, 3}), 0.0001)
	require.InDelta(t, 1, mannWhitney([]time.Duration{5, 5}, []time.Duration{5, 5, 5}), 1e-12)
}

// TestMannWhitneyFindsAShift checks that p is below 0.05 about one time in twenty for equal
// distributions, and that a shift of a fifth of the spread is found.
func TestMannWhitneyFindsAShift(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	sample := func(n int, shift float64) (all []time.Duration) {
		for range n {
			all = append(all, time.Duration(1e6*(10+shift+r.ExpFloat64())))
		}
		return all
	}
	below := 0
	for range 1000 {
		if mannWhitney(sample(50, 0), sample(50, 0)) < 0.05 {
			below++
		}
	}
	require.InDelta(t, 50, below, 25)
	require.Less(t, mannWhitney(sample(1000, 0), sample(1000, 0.2)), 1e-6)
}
