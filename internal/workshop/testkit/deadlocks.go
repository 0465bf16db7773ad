package testkit

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// logPrefix begins each line of the server's log: the database and the process.
const logPrefix = "%d %p "

// Deadlocks returns PostgreSQL's report of each deadlock in a database of DB: the error and the statement that it ended.
// The details, which only the client of that statement gets, name the other one.
func Deadlocks(t testing.TB, d *Database) []string {
	t.Helper()
	s, err := cluster()
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	log, err := s.Log()
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	var name string
	if err := d.Owner.GetContext(t.Context(), &name, `SELECT current_database()`); err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return deadlocksIn(log, name)
}

// deadlocksIn returns the reports of deadlocks in a database that a log contains. Lines of other processes may be between
// the lines of a report; a line that begins with a tab continues the line before.
func deadlocksIn(log []byte, database string) (reports []string) {
	open := map[string]*strings.Builder{} // by process
	var order []*strings.Builder
	var last *strings.Builder // what a line with a tab continues
	lines := bufio.NewScanner(bytes.NewReader(log))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "\t") {
			if last != nil {
				fmt.Fprintln(last, line)
			}
			continue
		}
		fields := strings.SplitN(line, " ", 3)
		last = nil
		if len(fields) < 3 || fields[0] != database {
			continue
		}
		process, text := fields[1], fields[2]
		level, _, _ := strings.Cut(text, ":")
		switch level {
		case "DETAIL", "HINT", "CONTEXT", "STATEMENT":
		default:
			delete(open, process)
			if strings.HasSuffix(text, "deadlock detected") {
				open[process] = &strings.Builder{}
				order = append(order, open[process])
			}
		}
		if last = open[process]; last != nil {
			fmt.Fprintln(last, text)
		}
	}
	for _, b := range order {
		reports = append(reports, b.String())
	}
	return reports
}
