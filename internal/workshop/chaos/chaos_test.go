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

	"konbit/internal/workshop/testkit/short"
)

var seed = flag.Uint64("seed", 0, "tells what is random once more; 0 draws one")

var previous = flag.String("previous", "", "path of the previous release's program, for the row upgrade")

// TestRows runs the short form of every row. The row upgrade runs only if -previous is given, as in cmd/chaos.
func TestRows(t *testing.T) {
	short.Skip(t, "PostgreSQL")
	for _, row := range Rows() {
		if row.NeedsPrevious && *previous == "" {
			t.Logf("%s: not run, because it needs a program of the previous release: -previous PATH", row.Name)
			continue
		}
		t.Run(row.Name, func(t *testing.T) {
			t.Parallel()
			run := Run{Count: row.Short, Seed: *seed, Previous: *previous, Progress: func(int) {}, Record: func(what, value string) { t.Logf("%s: %s", what, value) }}
			if run.Seed == 0 {
				run.Seed = rand.Uint64N(1_000_000) + 1
			}
			t.Logf("-seed %d", run.Seed)
			watch := time.AfterFunc(rowTimeout, func() { reportHang(row.Name, run.Seed) })
			t.Cleanup(func() { watch.Stop() }) // runs last, because a row's cleanup can hang too
			row.Prove(t, run)
		})
	}
}

// rowTimeout is longer than a row's short form takes on any machine.
const rowTimeout = 7 * time.Minute

// reportHang ends the program and prints which row hangs and where. The output of go test would be thousands of lines.
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
