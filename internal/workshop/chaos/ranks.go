package chaos

import (
	"math"
	"slices"
	"time"
)

// mannWhitney returns the two-sided p of the Mann-Whitney U test: the probability of ranks at least this far apart if
// both samples have the same distribution. It uses the normal approximation with the correction for ties and without
// continuity correction, which is good for about twenty or more values each (H. B. Mann, D. R. Whitney, Ann. Math.
// Statist. 18 (1947) 50-60). If all values are equal, it returns 1.
func mannWhitney(a, b []time.Duration) float64 {
	type one struct {
		took time.Duration
		of   int
	}
	var all []one
	for i, sample := range [][]time.Duration{a, b} {
		for _, took := range sample {
			all = append(all, one{took, i})
		}
	}
	slices.SortFunc(all, func(x, y one) int { return int(x.took - y.took) })
	n, m := float64(len(a)), float64(len(b))
	ranks, ties := 0.0, 0.0
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].took == all[i].took {
			j++
		}
		for _, x := range all[i:j] {
			if x.of == 0 {
				ranks += float64(i+j+1) / 2 // equal values get their mean rank
			}
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	u := ranks - n*(n+1)/2
	variance := n * m / 12 * (n + m + 1 - ties/((n+m)*(n+m-1)))
	if variance <= 0 {
		return 1
	}
	return math.Erfc(math.Abs(u-n*m/2) / math.Sqrt(2*variance))
}

// median returns the middle value, of two the larger; zero for no values.
func median(of []time.Duration) time.Duration {
	if len(of) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(of))[len(of)/2]
}
