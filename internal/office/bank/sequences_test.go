package bank_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/bank"
	"konbit/internal/workshop/testkit/program"
)

// TestMatchesHold: after each of random acts (files, gifts, matches, splits, undos, rules, and attacks by direct SQL) sums hold, each line and
// item is in at most one live match, and 1100 = statement − open − set aside + not yet cleared.
func TestMatchesHold(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{NoStripe: true})
	acts := map[string]int{}
	for seed := range uint64(4) {
		for name, n := range bank.Sequence(t, h, seed, 40) {
			acts[name] += n
		}
	}
	for _, name := range []string{"file", "gift", "match", "split", "undo", "rule", "attack", "again"} {
		require.Positive(t, acts[name], "%s: %v", name, acts)
	}
	h.RequireNoFindings()
}
