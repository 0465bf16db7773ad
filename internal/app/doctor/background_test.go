package doctor

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/task"
	"konbit/internal/office/check"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

func TestDoctorReportsDailyChecks(t *testing.T) {
	d := &Doctor{}
	d.checkDailyRun(t.Context(), testkit.DB(t).Server)
	require.Contains(t, d.Findings[0].String(), "not run yet")
	require.False(t, d.Failed())
	require.NoError(t, checkerErrors([]check.Last{{Checker: "A1", Age: 20 * time.Hour}}))
	require.ErrorContains(t, checkerErrors([]check.Last{{Checker: "A1"}, {Checker: "A5", Rows: 2}}), "A5 (2) found something")
	require.ErrorContains(t, checkerErrors([]check.Last{{Checker: "A1", Age: 30 * time.Hour}}), "A1: last run 30h0m0s ago")
	require.ErrorContains(t, checkerErrors([]check.Last{{Checker: "A1"}, {Checker: "A8", Age: 30 * time.Hour}}), "A8: last run", "it cannot run")
}

func TestDoctorReportsOpenTasks(t *testing.T) {
	h := program.New(t, program.Options{})
	report := func() string {
		d := &Doctor{}
		d.checkTasks(t.Context(), h.DB.Server)
		require.False(t, d.Failed())
		return d.Findings[0].String()
	}
	require.Equal(t, "✓ tasks for finance", report())
	opened := task.Task{EntityID: h.Offer("csio").Entity.ID, Kind: task.Find("payout_failed"), Subject: "po_1"}
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		return task.OpenTx(t.Context(), tx, opened, uuid.New, time.Now())
	}))
	require.Equal(t, "✓ tasks for finance: 1 wait: konbit tasks list", report())
}
