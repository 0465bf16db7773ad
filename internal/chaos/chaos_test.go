package chaos

import (
	"flag"
	"math/rand/v2"
	"testing"
)

var seed = flag.Uint64("seed", 0, "tells what is random once more; 0 draws one")

// TestRows proves the short form of every row.
func TestRows(t *testing.T) {
	for _, row := range Rows() {
		t.Run(row.Name, func(t *testing.T) {
			t.Parallel()
			run := Run{Number: row.Short, Seed: *seed, Reached: func(int) {}, Found: func(what, value string) { t.Logf("%s: %s", what, value) }}
			if run.Seed == 0 {
				run.Seed = rand.Uint64N(1_000_000) + 1
			}
			t.Logf("-seed %d", run.Seed)
			row.Prove(t, run)
		})
	}
}
