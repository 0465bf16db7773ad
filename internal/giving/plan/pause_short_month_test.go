package plan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
	"konbit/internal/giving/plan"
)

// TestPauseOverShortMonths: a plan that is charged on the 31st can go on at each of its dates, also on the last day of a short month.
func TestPauseOverShortMonths(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 30, 12, 0, 0, 0, time.UTC)
	next := time.Date(2026, time.December, 31, 15, 0, 0, 0, time.UTC)
	p := plan.Plan{Status: plan.Active, NextAt: &next, AnchorDay: 31}
	p.Frequency = org.Monthly
	var days []string
	for _, n := range p.PauseLengths(now) {
		until, charge, err := p.PauseFor(n, now)
		require.NoError(t, err)
		require.True(t, until.Before(charge), "the pause of %d months ends before the next charge", n)
		days = append(days, charge.Format("01-02"))
	}
	require.Equal(t, []string{"01-31", "02-28", "03-31", "04-30", "05-31", "06-30", "07-31", "08-31", "09-30", "10-31", "11-30"}, days)
}
