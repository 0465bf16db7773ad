package chaos

import (
	"math"
	"slices"
	"time"
)

// mannWhitney is the two-sided p of the Mann-Whitney U test: how likely ranks at least this far apart are when both samples are of
// one kind. It uses the normal approximation with the correction for ties and none for continuity, good for some twenty and more of
// each (H. B. Mann, D. R. Whitney, Ann. Math. Statist. 18 (1947) 50-60). Two samples all of one value are of one kind: 1.
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
				ranks += float64(i+j+1) / 2 // what is equal shares its ranks
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

// median is the middle one, the later of two; zero of none.
func median(of []time.Duration) time.Duration {
	if len(of) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(of))[len(of)/2]
}
