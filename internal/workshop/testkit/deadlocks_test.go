package testkit

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDeadlocksIn: a report has its lines, though lines of other processes are between them; other databases, other
// errors and later errors of the same process are left out.
func TestDeadlocksIn(t *testing.T) {
	log := "a 7 ERROR:  deadlock detected\n" +
		"a 8 ERROR:  duplicate key\n" +
		"a 7 DETAIL:  Process 7 waits for 8.\n" +
		"\tProcess 7: SELECT 1\n" +
		"a 8 DETAIL:  Key exists.\n" +
		"\tKey again.\n" +
		"b 9 ERROR:  deadlock detected\n" +
		"a 7 STATEMENT:  SELECT 1\n" +
		"a 7 ERROR:  something else\n" +
		"a 7 DETAIL:  Not ours.\n" +
		"a 7 ERROR:  deadlock detected\n"
	require.Equal(t, []string{
		"ERROR:  deadlock detected\nDETAIL:  Process 7 waits for 8.\n\tProcess 7: SELECT 1\nSTATEMENT:  SELECT 1\n",
		"ERROR:  deadlock detected\n",
	}, deadlocksIn([]byte(log), "a"))
}
