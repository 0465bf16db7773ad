package main

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/office/check"
	"konbit/internal/platform/metrics"
	"konbit/internal/workshop/testkit/program"
)

// TestVerifyRunsTheCheckers: a row of a checker makes the command fail. The text and the JSON contain the row.
func TestVerifyRunsTheCheckers(t *testing.T) {
	h := program.New(t, program.Options{})
	d := h.SettledGift(program.ValidForm())
	t.Chdir(t.TempDir())
	t.Setenv("DATABASE_URL", h.DB.ServerURL)
	out, err := runCommand(t, "ledger", "verify")
	require.NoError(t, err)
	require.Contains(t, out, "1 entries with 2 lines read.\n")
	require.Contains(t, out, fmt.Sprintf("%d of %[1]d checkers found nothing.\n", len(check.Checkers())))

	h.Exec(`UPDATE receipt_counter SET last = 1`)
	h.Exec(`ALTER TABLE receipt DISABLE TRIGGER USER`)
	h.Exec(`UPDATE receipt SET issued_at = '2026-01-01T00:00:00Z'`)
	out, err = runCommand(t, "ledger", "verify")
	require.EqualError(t, err, "the checkers found errors")
	id := h.Lines(`SELECT id::text FROM receipt WHERE donation_id = $1`, d.ID)[0]
	require.Contains(t, out, "✗ not true: every receipt is mailed within a quarter of an hour (1 rows)\n    tsne A7 "+id+": receipt 1 of ")
	require.Contains(t, out, fmt.Sprintf(" has no letter, since 2026-01-01T00:00:00Z\n%d of %d checkers found nothing.\n", len(check.Checkers())-1, len(check.Checkers())))

	out, err = runCommand(t, "ledger", "verify", "--json")
	require.Error(t, err)
	var output struct {
		Entries  int
		Findings []any
		Chains   []any
		Checks   []check.Line
	}
	require.NoError(t, json.Unmarshal([]byte(out), &output))
	require.Equal(t, 1, output.Entries)
	require.Empty(t, output.Findings)
	require.Len(t, output.Checks, len(check.Checkers()))
	for _, c := range output.Checks {
		if c.Checker != "A7" {
			require.Equal(t, []check.LineRow{}, c.Rows)
			continue
		}
		require.EqualValues(t, 1, c.Count)
		require.Equal(t, check.LineRow{Entity: "tsne", Subject: id, Detail: c.Rows[0].Detail, Since: c.Rows[0].Since}, c.Rows[0])
	}
}

// TestDailyChecks: a row of a checker is logged as an error, opens a task for finance and appears in the metrics.
func TestDailyChecks(t *testing.T) {
	h := program.New(t, program.Options{})
	h.SettledGift(program.ValidForm())
	h.Exec(`UPDATE stripe_event SET state = 'new', done_at = NULL, due_at = now() - interval '1 hour'`)
	figure := func(name, label string) float64 {
		figures, err := h.Figures(t.Context())
		require.NoError(t, err)
		for _, f := range figures {
			if f.Name == name && f.Label == label {
				return f.Value
			}
		}
		return -1
	}
	require.EqualValues(t, -1, figure(metrics.InvariantViolations, "A9"), "no checker has run")
	require.NoError(t, h.RunDailyChecks(t.Context()))
	require.NoError(t, h.RunDailyChecks(t.Context()))
	require.EqualValues(t, 1, figure(metrics.InvariantViolations, "A9"))
	require.EqualValues(t, 0, figure(metrics.InvariantViolations, "A1"))
	require.Less(t, figure(metrics.InvariantCheckAge, "A9"), 600.0)
	require.Regexp(t, `level=ERROR msg="a checker found an error" checker=A9`, h.Log.String())
	require.Equal(t, []string{"checker_found check_event_overdue"}, h.Lines(`SELECT kind || ' ' || subject FROM finance_task`))

	t.Chdir(t.TempDir())
	t.Setenv("DATABASE_URL", h.DB.ServerURL)
	out, err := runCommand(t, "tasks", "list")
	require.NoError(t, err)
	require.Contains(t, out, `tsne  checker_found "check_event_overdue"`)
	require.Contains(t, out, "not so every event is worked off within five minutes")
}
