package chaos

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/office"
)

func init() {
	register(Row{
		Name: "approvals", No: "15", Short: 20, Long: 10_000, Prove: Approvals,
		Promise: "random sequences of requests, approvals, edits, ended roles, replays, races, a clock set back, stolen passwords and statements " +
			"of the server's role: an act is executed if, and only if, enough other people approved this version of it and hold the role",
	})
}

// Approvals runs random sequences against the functions and triggers of approvals.
func Approvals(t testing.TB, run Run) {
	executed := office.Sequences(t, testkit.DB(t), run.Seed, run.Count, run.Progress)
	require.Positive(t, executed)
	run.Record("acts executed", fmt.Sprint(executed))
}
