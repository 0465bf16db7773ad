package internal_test

import (
	"bytes"
	"go/ast"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Limits of size, in lines with comments, without tests. Packages of workshop have only the limit of a file.
const (
	maxPackageLines = 2500
	maxFileLines    = 400
)

func TestPackagesAndFilesStaySmall(t *testing.T) {
	lines := map[string]int{}
	each(t, func(pkg, path string, _ *ast.File) {
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		n := bytes.Count(source, []byte("\n"))
		lines[pkg] += n
		if n > maxFileLines {
			t.Errorf("%s has %d lines: divide it, at most %d", path, n, maxFileLines)
		}
	})
	for pkg, n := range lines {
		if groupOf(pkg) != workshop && n > maxPackageLines {
			t.Errorf("%s has %d lines: divide it by its nouns, at most %d", pkg, n, maxPackageLines)
		}
	}
}

// machineClock lists the files outside app, workshop and the measuring commands that read the machine's clock, each
// with its reason. Others are given a clock by app.
var machineClock = map[string]string{
	"app/doctor/database.go":                     "it compares the machine's clock with the database's",
	"../cmd/konbit/export.go":                    "it writes the time of the export into the file",
	"../cmd/konbit/statements.go":                "it checks a year that a person types, and measures the time to go",
	"mail/smtp.go":                               "pauses between connections",
	"office/check/check.go":                      "duration of a check",
	"platform/guard/score.go":                    "age of a copy in memory",
	"platform/jobs/clock.go":                     "it is the queue's clock",
	"platform/jobs/runner.go":                    "duration of a job",
	"platform/metrics/state.go":                  "duration of a query",
	"platform/pg/hosts.go":                       "deadline of a connection",
	"platform/pg/pg.go":                          "how long the start waits for the database",
	"platform/pg/watchdog.go":                    "deadline of a connection",
	"processor/event/worker.go":                  "time spent reading after a batch",
	"processor/stripepay/webhook/inbox.go":       "deadline of a connection",
	"processor/stripepay/transport/transport.go": "duration of a request",
	"processor/stripepay/turns/queue.go":         "turns per second",
	"web/middleware.go":                          "duration of a request",
}

func TestTheClockIsPassedIn(t *testing.T) {
	seen := map[string]bool{}
	each(t, func(pkg, path string, file *ast.File) {
		if pkg == "app" || groupOf(pkg) == workshop || slices.Contains([]string{"cmd/demo", "cmd/chaos", "cmd/bench"}, pkg) {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if selector(n) == "time.Now" {
				seen[path] = true
				if machineClock[path] == "" {
					t.Errorf("%s reads the machine's clock: take a clock from app, or list the file in machineClock with its reason", path)
				}
			}
			return true
		})
	})
	for path := range machineClock {
		require.True(t, seen[path], "%s does not read the clock any more: delete it from machineClock", path)
	}
}
