package deflate

import (
	"cmp"
	"math/bits"
	"slices"
)

const (
	literals, distances = 286, 30 // symbols of RFC 1951, 3.2.5
	endOfBlock          = 256
)

// bitWriter writes bits, the lowest first.
type bitWriter struct {
	out  []byte
	bits uint64
	n    uint
}

func (w *bitWriter) write(value uint32, n uint) {
	w.bits |= uint64(value) << w.n
	for w.n += n; w.n >= 8; w.n -= 8 {
		w.out = append(w.out, byte(w.bits))
		w.bits >>= 8
	}
}

// align fills the last byte.
func (w *bitWriter) align() {
	if w.n > 0 {
		w.write(0, 8-w.n)
	}
}

// lengthSymbol returns the symbol of a match's length, and its extra bits.
func lengthSymbol(length uint32) (symbol int, extra uint32, n uint) {
	l := length - minMatch
	switch {
	case length == maxMatch:
		return 285, 0, 0
	case l < 8:
		return 257 + int(l), 0, 0
	}
	n = uint(bits.Len32(l)) - 3
	return 257 + int(n)*4 + int(l>>n), l & (1<<n - 1), n
}

// distanceSymbol returns the symbol of a match's distance, and its extra bits.
func distanceSymbol(distance uint32) (symbol int, extra uint32, n uint) {
	d := distance - 1
	if d < 4 {
		return int(d), 0, 0
	}
	n = uint(bits.Len32(d)) - 2
	return int(n)*2 + int(d>>n), d & (1<<n - 1), n
}

// block writes tokens with codes of their own (RFC 1951, 3.2.7).
func (w *bitWriter) block(tokens []token, last bool) {
	var often [literals]int
	var far [distances]int
	often[endOfBlock] = 1
	for _, t := range tokens {
		if t.distance == literal {
			often[t.value]++
			continue
		}
		symbol, _, _ := lengthSymbol(t.value)
		often[symbol]++
		symbol, _, _ = distanceSymbol(t.distance)
		far[symbol]++
	}
	lengths, dists := lengthsOf(often[:], 15), lengthsOf(far[:], 15)
	w.header(lengths, dists, last)
	words, places := codesOf(lengths), codesOf(dists)
	for _, t := range tokens {
		if t.distance == literal {
			w.write(words[t.value], uint(lengths[t.value]))
			continue
		}
		symbol, extra, n := lengthSymbol(t.value)
		w.write(words[symbol], uint(lengths[symbol]))
		w.write(extra, n)
		symbol, extra, n = distanceSymbol(t.distance)
		w.write(places[symbol], uint(dists[symbol]))
		w.write(extra, n)
	}
	w.write(words[endOfBlock], uint(lengths[endOfBlock]))
}

// order is the order of the lengths of the code in which the lengths of the other codes are written.
var order = [19]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// header writes the lengths of the codes.
func (w *bitWriter) header(lengths, dists []uint8, last bool) {
	nl, nd := literals, distances
	for nl > 257 && lengths[nl-1] == 0 {
		nl--
	}
	for nd > 1 && dists[nd-1] == 0 {
		nd--
	}
	type step struct {
		symbol int
		extra  uint32
		n      uint
	}
	var steps []step
	all := append(slices.Clone(lengths[:nl]), dists[:nd]...)
	for i := 0; i < len(all); {
		run := 1
		for i+run < len(all) && all[i+run] == all[i] {
			run++
		}
		value := int(all[i])
		i += run
		if value != 0 {
			steps = append(steps, step{value, 0, 0})
			run--
		}
		for run > 0 {
			switch {
			case value == 0 && run >= 11:
				n := min(run, 138)
				steps, run = append(steps, step{18, uint32(n - 11), 7}), run-n
			case value == 0 && run >= 3:
				steps, run = append(steps, step{17, uint32(run - 3), 3}), 0
			case run >= 3:
				n := min(run, 6)
				steps, run = append(steps, step{16, uint32(n - 3), 2}), run-n
			default:
				steps, run = append(steps, step{value, 0, 0}), run-1
			}
		}
	}
	var often [19]int
	for _, s := range steps {
		often[s.symbol]++
	}
	short := lengthsOf(often[:], 7)
	codes := codesOf(short)
	n := len(order)
	for n > 4 && short[order[n-1]] == 0 {
		n--
	}
	final := uint32(0)
	if last {
		final = 1
	}
	w.write(final, 1)
	w.write(2, 2)
	w.write(uint32(nl-257), 5)
	w.write(uint32(nd-1), 5)
	w.write(uint32(n-4), 4)
	for _, i := range order[:n] {
		w.write(uint32(short[i]), 3)
	}
	for _, s := range steps {
		w.write(codes[s.symbol], uint(short[s.symbol]))
		w.write(s.extra, s.n)
	}
}

// lengthsOf returns the lengths of a Huffman code for symbols that are used so often, none above limit.
func lengthsOf(often []int, limit uint8) []uint8 {
	type node struct {
		weight, symbol int
		left, right    *node
	}
	var used []*node
	for symbol, n := range often {
		if n > 0 {
			used = append(used, &node{weight: n, symbol: symbol})
		}
	}
	lengths := make([]uint8, len(often))
	switch len(used) {
	case 0:
		return lengths
	case 1:
		lengths[used[0].symbol] = 1
		return lengths
	}
	for {
		queue := slices.Clone(used)
		slices.SortStableFunc(queue, func(a, b *node) int { return cmp.Compare(a.weight, b.weight) })
		var joined []*node
		take := func() (n *node) {
			if len(joined) == 0 || len(queue) > 0 && queue[0].weight <= joined[0].weight {
				n, queue = queue[0], queue[1:]
			} else {
				n, joined = joined[0], joined[1:]
			}
			return n
		}
		for len(queue)+len(joined) > 1 {
			a, b := take(), take()
			joined = append(joined, &node{weight: a.weight + b.weight, left: a, right: b})
		}
		deepest := uint8(0)
		var walk func(n *node, depth uint8)
		walk = func(n *node, depth uint8) {
			if n.left == nil {
				lengths[n.symbol], deepest = depth, max(deepest, depth)
				return
			}
			walk(n.left, depth+1)
			walk(n.right, depth+1)
		}
		walk(joined[0], 0)
		if deepest <= limit {
			return lengths
		}
		for _, n := range used { // a flatter code
			n.weight = n.weight/2 + 1
		}
	}
}

// codesOf returns the codes with these lengths (RFC 1951, 3.2.2), ready to be written with the lowest bit first.
func codesOf(lengths []uint8) []uint32 {
	var count, next [16]uint32
	for _, l := range lengths {
		if l > 0 {
			count[l]++
		}
	}
	code := uint32(0)
	for l := 1; l < len(next); l++ {
		code = (code + count[l-1]) << 1
		next[l] = code
	}
	codes := make([]uint32, len(lengths))
	for symbol, l := range lengths {
		if l > 0 {
			codes[symbol] = bits.Reverse32(next[l]) >> (32 - l)
			next[l]++
		}
	}
	return codes
}
