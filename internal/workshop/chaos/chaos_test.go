package chaos

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	"konbit/internal/workshop/testkit"
)

var seed = flag.Uint64("seed", 0, "tells what is random once more; 0 draws one")

// TestRows proves the short form of every row.
func TestRows(t *testing.T) {
	testkit.SkipIfShort(t, "PostgreSQL")
	for _, row := range Rows() {
		t.Run(row.Name, func(t *testing.T) {
			t.Parallel()
			run := Run{Number: row.Short, Seed: *seed, Reached: func(int) {}, Found: func(what, value string) { t.Logf("%s: %s", what, value) }}
			if run.Seed == 0 {
				run.Seed = rand.Uint64N(1_000_000) + 1
			}
			t.Logf("-seed %d", run.Seed)
			watch := time.AfterFunc(rowTimeout, func() { reportHang(row.Name, run.Seed) })
			t.Cleanup(func() { watch.Stop() }) // the last of all: a row may hang in its cleaning up, too
			row.Prove(t, run)
		})
	}
}

// hangs is how long a row's short form never takes, however busy the machine.
const rowTimeout = 7 * time.Minute

// tooLong ends the program and says which row hangs and where: the test tool itself would tell it among thousands of lines.
func reportHang(row string, seed uint64) {
	all := make([]byte, 16<<20)
	all = all[:runtime.Stack(all, true)]
	for _, stack := range bytes.Split(all, []byte("\n\n")) {
		if bytes.Contains(stack, []byte("konbit/internal/workshop/chaos.")) {
			fmt.Fprintf(os.Stderr, "%s\n\n", stack)
		}
	}
	fmt.Fprintf(os.Stderr, "chaos: the row %s, -seed %d, has not ended in %s\n", row, seed, rowTimeout)
	os.Exit(1)
}
