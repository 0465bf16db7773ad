package chaos

import (
	"fmt"
	"testing"

	"konbit/internal/workshop/testkit/bank"
	"konbit/internal/workshop/testkit/program"
)

func init() {
	register(Row{
		Name: "bank", No: "13", Short: 4, Long: 10_000, Prove: Bank,
		Promise: "random sequences of files, gifts by transfer, matches, splits, undos, rules and their undos, and statements of the server's role: " +
			"sums hold, each line and item is in at most one live match, and 1100 = statement − open − set aside + not yet cleared",
	})
}

const (
	actsOfASequence     = 25
	sequencesPerProgram = 100 // more rows make every check slower
)

// Bank runs random sequences on bank accounts of one entity, with a new database after each hundred.
func Bank(t testing.TB, run Run) {
	acts := map[string]int{}
	var h *program.Program
	for n := range run.Count {
		if n%sequencesPerProgram == 0 {
			h = program.New(t, program.Options{NoStripe: true})
		}
		for name, count := range bank.Sequence(t, h, run.Seed+uint64(n), actsOfASequence) { //nolint:gosec // not negative
			acts[name] += count
		}
		if n%sequencesPerProgram == sequencesPerProgram-1 || n == run.Count-1 {
			h.RequireNoFindings()
		}
		run.Progress(1)
	}
	for _, name := range []string{"match", "undo", "split", "rule"} {
		run.Record("done: "+name, fmt.Sprint(acts[name]))
	}
}
