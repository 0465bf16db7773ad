package org_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
)

func TestMonthlyPaymentsFromTheEndOfAMonth(t *testing.T) {
	for _, day := range []int{29, 30, 31} {
		anchor := time.Date(2027, 1, day, 3, 30, 0, 0, time.UTC)
		for n := range 60 {
			due := org.Monthly.Due(anchor, n)
			require.Equal(t, 2027*12+n, due.Year()*12+int(due.Month())-1, "a payment in each month")
			last := time.Date(due.Year(), due.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
			require.Equal(t, min(day, last), due.Day())
			require.Equal(t, 3, due.Hour(), "the same time of day in UTC")
		}
	}
	leap := time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC)
	require.Equal(t, "2029-02-28 2032-02-29", org.Yearly.Due(leap, 1).Format(time.DateOnly)+" "+org.Yearly.Due(leap, 4).Format(time.DateOnly))
	require.Equal(t, "2028-05-29", org.Quarterly.Due(leap, 1).Format(time.DateOnly))
	require.Equal(t, "2028-03-14", org.Weekly.Due(leap, 2).Format(time.DateOnly))
}
