package bench

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMeterComparesSamplesOfTheSameRound(t *testing.T) {
	m := NewMeter(Row{Name: "row"}, 3, false)
	var order []string
	ours, beside := []float64{10, 40, 30}, []float64{10, 10, 15}
	steps := 0
	m.Step = func(string, int, int) { steps++ }
	m.Interleave(
		func() { m.Note("konbit", ours[len(order)/2]); order = append(order, "konbit") },
		func() { m.Note("N", beside[len(order)/2]); order = append(order, "N") },
	)
	require.Equal(t, []string{"konbit", "N", "konbit", "N", "konbit", "N"}, order)
	require.Equal(t, 6, steps)
	m.Compare("", "gifts/s", "konbit", "N", AtLeast(2))
	m.Compare("shown", "gifts/s", "konbit", "N", Shown)
	m.Absolute("alone", "MB", "konbit", AtMost(29))
	require.Equal(t, 30.0, m.Lines[0].Ours)
	require.Equal(t, 10.0, *m.Lines[0].Beside)
	require.Equal(t, 2.0, *m.Lines[0].Ratio) // median of 1, 4 and 2
	require.Equal(t, []bool{true, true, false}, []bool{m.Lines[0].Met, m.Lines[1].Met, m.Lines[2].Met})
	require.Nil(t, m.Lines[1].Goal)
	require.Equal(t, []string{"row", "row: shown", "row: alone"}, []string{m.Lines[0].Row, m.Lines[1].Row, m.Lines[2].Row})
}

func TestPercentile(t *testing.T) {
	var hundred []int
	for n := 100; n > 0; n-- {
		hundred = append(hundred, n)
	}
	require.Equal(t, []int{99, 50, 1}, []int{percentile(hundred, 99), percentile(hundred, 50), percentile([]int{1}, 99)})
	require.Zero(t, percentile([]int{}, 99))
	require.Equal(t, 50, median(hundred))
}
