package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/bench"
)

func TestChoose(t *testing.T) {
	all, err := choose("")
	require.NoError(t, err)
	for _, row := range all {
		require.NotEmpty(t, row.Claim, row.Name)
	}
	some, err := choose("form,settle")
	require.NoError(t, err)
	require.Equal(t, []string{"form", "settle"}, []string{some[0].Name, some[1].Name})
	_, err = choose("forms")
	require.ErrorContains(t, err, `there is no row "forms"`)
}

func TestReportIsMetOnlyIfEachRowIs(t *testing.T) {
	beside, ratio, goal := 1000.0, 0.25, 0.3
	short := bench.Line{Row: "give", Unit: "gifts/s", Ours: 250, Name: "D", Beside: &beside, Ratio: &ratio, Goal: &goal, Better: "higher"}
	require.False(t, report{Rows: []bench.Line{short}}.met())
	require.True(t, report{Rows: []bench.Line{{Met: true}}}.met())
	require.False(t, report{Failed: []string{"give: broke"}}.met())
	var table bytes.Buffer
	report{Machine: "here", Rows: []bench.Line{short}}.table(&table)
	require.Regexp(t, `give +250 gifts/s +D 1000 gifts/s +0\.25 +≥ 0\.30 +MISSED`, table.String())
}
