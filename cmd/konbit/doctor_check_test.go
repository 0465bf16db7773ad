package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/office/check"
	"konbit/internal/workshop/testkit"
)

func TestDoctorReportsDailyChecks(t *testing.T) {
	d := &doctor{}
	d.checkDailyRun(t.Context(), testkit.DB(t).Server)
	require.Contains(t, d.findings[0].String(), "not run yet")
	require.False(t, d.failed)
	require.NoError(t, checkerErrors([]check.Last{{Checker: "A1", Age: 20 * time.Hour}}))
	require.ErrorContains(t, checkerErrors([]check.Last{{Checker: "A1"}, {Checker: "A5", Rows: 2}}), "A5 (2) found something")
	require.ErrorContains(t, checkerErrors([]check.Last{{Checker: "A1", Age: 30 * time.Hour}}), "last run 30h0m0s ago")
}
