package chaos

import (
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/program"
)

// checked requires that every checker finds nothing in a drained simulation. No worker sends emails there, so receipts
// without an email (A7) and open email jobs (A8) are accepted.
func checked(t testing.TB, h *program.Program) {
	t.Helper()
	for _, r := range h.CheckerRows() {
		require.Contains(t, []string{"A7", "A8"}, r.Checker, "%s", r)
	}
}
