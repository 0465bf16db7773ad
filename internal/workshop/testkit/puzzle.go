package testkit

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"strconv"
	"strings"
)

// Solve returns the proof of work of a guard's challenge with so many puzzles.
func Solve(seed string, puzzles, difficulty int) string {
	var found []string
	for n := 0; len(found) < puzzles; n++ {
		sum := sha256.Sum256([]byte(seed + "." + strconv.Itoa(len(found)) + "." + strconv.Itoa(n)))
		if bits.LeadingZeros32(binary.BigEndian.Uint32(sum[:4])) >= difficulty {
			found, n = append(found, strconv.Itoa(n)), -1
		}
	}
	return strings.Join(found, ",")
}
