package suggest

import (
	"maps"
	"math/bits"

	"konbit/internal/office/bank"
)

// maxSums bounds the sums that subset remembers: with many items of many amounts it gives up.
const maxSums = 1 << 16

// way is one choice of items that comes to a sum, by their places, and how many choices there are, at most two.
type way struct {
	items uint64
	count int
}

// subset returns the items that come to an amount, two of them at least, and how many choices do: 0, 1, or 2 for more. All have the sign
// of the amount. It returns 0 if there are too many sums to try.
func subset(items []bank.Item, amount int64) (chosen []bank.Item, ways int) {
	sums := map[int64]way{0: {0, 1}}
	for i, item := range items {
		next := maps.Clone(sums)
		for sum, w := range sums {
			to := sum + item.Amount
			if amount > 0 && to > amount || amount < 0 && to < amount {
				continue
			}
			had := next[to]
			had.count = min(had.count+w.count, 2)
			if had.items == 0 {
				had.items = w.items | 1<<i
			}
			next[to] = had
		}
		if len(next) > maxSums {
			return nil, 0
		}
		sums = next
	}
	found := sums[amount]
	if found.count == 0 || bits.OnesCount64(found.items) < 2 {
		return nil, found.count
	}
	for i, item := range items {
		if found.items&(1<<i) != 0 {
			chosen = append(chosen, item)
		}
	}
	return chosen, found.count
}
