package deflate

import (
	"encoding/binary"
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
	if w.n += n; w.n >= 32 {
		w.out = binary.LittleEndian.AppendUint32(w.out, uint32(w.bits))
		w.bits >>= 32
		w.n -= 32
	}
}

// align fills the last byte.
func (w *bitWriter) align() {
	for ; w.n > 0; w.n -= min(w.n, 8) {
		w.out = append(w.out, byte(w.bits))
		w.bits >>= 8
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

// fewTokens is so few that codes of their own would take more than they save.
const fewTokens = 300

// fixedLengths and fixedDistances are the lengths of the fixed codes (RFC 1951, 3.2.6).
var (
	fixedLengths   = fixed()
	fixedDistances = slices.Repeat([]uint8{5}, distances)
	fixedWords     = codesOf(fixedLengths)
	fixedPlaces    = codesOf(fixedDistances)
)

func fixed() []uint8 {
	lengths := slices.Repeat([]uint8{8}, 288)
	for i := 144; i < 256; i++ {
		lengths[i] = 9
	}
	for i := 256; i < 280; i++ {
		lengths[i] = 7
	}
	return lengths
}

// block writes tokens: few with the fixed codes, more with codes of their own (RFC 1951, 3.2.7).
func (w *bitWriter) block(tokens []token, last bool) {
	if len(tokens) < fewTokens {
		w.write(final(last), 1)
		w.write(1, 2)
		w.tokens(tokens, fixedLengths, fixedDistances, fixedWords, fixedPlaces)
		return
	}
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
	w.tokens(tokens, lengths, dists, codesOf(lengths), codesOf(dists))
}

func final(last bool) uint32 {
	if last {
		return 1
	}
	return 0
}

// tokens writes tokens and the end of the block, with codes and their lengths.
func (w *bitWriter) tokens(tokens []token, lengths, dists []uint8, words, places []uint32) {
	for _, t := range tokens {
		if t.distance == literal {
			w.write(words[t.value], uint(lengths[t.value]))
			continue
		}
		symbol, extra, n := lengthSymbol(t.value)
		w.write(words[symbol]|extra<<lengths[symbol], uint(lengths[symbol])+n)
		symbol, extra, n = distanceSymbol(t.distance)
		w.write(places[symbol]|extra<<dists[symbol], uint(dists[symbol])+n)
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
	w.write(final(last), 1)
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
	lengths := make([]uint8, len(often))
	var symbols [literals]uint32 // how often and which, in rising order
	n := 0
	for symbol, count := range often {
		if count > 0 {
			symbols[n] = uint32(count)<<9 | uint32(symbol)
			n++
		}
	}
	if n < 2 {
		for _, s := range symbols[:n] {
			lengths[s&511] = 1
		}
		return lengths
	}
	// Nodes are the symbols, and behind them the pairs of nodes in the order in which they are joined.
	var weights [2 * literals]uint32
	var parents [2 * literals]uint16
	var depths [2 * literals]uint8
	for {
		slices.Sort(symbols[:n])
		for i, s := range symbols[:n] {
			weights[i] = s >> 9
		}
		single, pair := 0, n
		next := n
		take := func() (node int) {
			if pair == next || single < n && weights[single] <= weights[pair] {
				single++
				return single - 1
			}
			pair++
			return pair - 1
		}
		for ; next < 2*n-1; next++ {
			a, b := take(), take()
			weights[next] = weights[a] + weights[b]
			parents[a], parents[b] = uint16(next), uint16(next)
		}
		depths[2*n-2] = 0
		deepest := uint8(0)
		for i := 2*n - 3; i >= 0; i-- {
			depths[i] = depths[parents[i]] + 1
			deepest = max(deepest, depths[i])
		}
		if deepest <= limit {
			for i, s := range symbols[:n] {
				lengths[s&511] = depths[i]
			}
			return lengths
		}
		for i, s := range symbols[:n] { // a flatter code
			symbols[i] = (s>>9/2+1)<<9 | s&511
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
