package chaos

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/interchange"
)

// exportCheckers are independent accounting programs that check every balance.
var exportCheckers = map[interchange.Format][]string{
	interchange.Hledger:   {"hledger", "check", "--strict", "ordereddates", "-f"},
	interchange.Beancount: {"bean-check"},
}

// checkExports exports the books in both formats and checks them with these programs.
func checkExports(t testing.TB, db *sqlx.DB) {
	t.Helper()
	for format, command := range exportCheckers {
		var journal bytes.Buffer
		require.NoError(t, interchange.ExportJournal(t.Context(), db, &journal, format, time.Now()))
		file := filepath.Join(t.TempDir(), "journal."+string(format))
		require.NoError(t, os.WriteFile(file, journal.Bytes(), 0o600))
		path, err := exec.LookPath(command[0])
		if err != nil {
			t.Fatalf("%s is not installed; mend it with: make test-deps", command[0])
		}
		cmd := exec.CommandContext(t.Context(), path, append(command[1:], file)...)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		output, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", command[0], output)
	}
}
