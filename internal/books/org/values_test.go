package org

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestValuesKeepTheirSpelling: rows, the declarative file and idempotency keys at Stripe hold these values.
func TestValuesKeepTheirSpelling(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{string(PaidByFund), "fund"},
		{string(PaidByOperations), "operations"},
		{string(OfGross), "gross"},
		{string(OfNet), "net"},
		{string(Once), "once"},
		{string(Weekly), "weekly"},
		{string(Monthly), "monthly"},
		{string(Quarterly), "quarterly"},
		{string(Yearly), "yearly"},
	} {
		t.Run(test.want, func(t *testing.T) {
			require.Equal(t, test.want, test.got)
		})
	}
}

// TestFiscalYear: a fiscal year is called by the calendar year in which it ends, and starts at midnight where the entity is.
func TestFiscalYear(t *testing.T) {
	boston, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	e := LegalEntity{Timezone: "America/New_York", FiscalYearStarts: time.July}
	from, until := e.FiscalYear(2026)
	require.Equal(t, time.Date(2025, time.July, 1, 0, 0, 0, 0, boston), from)
	require.Equal(t, time.Date(2026, time.July, 1, 0, 0, 0, 0, boston), until)
	require.Equal(t, 2026, e.FiscalYearOf(from))
	require.Equal(t, 2025, e.FiscalYearOf(from.Add(-time.Second)), "by the entity's clock, not by that of the time")
	require.Equal(t, 2026, e.FiscalYearOf(until.Add(-time.Second).UTC()))
	for _, starts := range []time.Month{0, time.January} {
		e.FiscalYearStarts = starts
		from, until = e.FiscalYear(2026)
		require.Equal(t, time.Date(2026, time.January, 1, 0, 0, 0, 0, boston), from)
		require.Equal(t, time.Date(2027, time.January, 1, 0, 0, 0, 0, boston), until)
		require.Equal(t, 2026, e.FiscalYearOf(from))
	}
}
