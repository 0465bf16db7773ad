package main

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/chaos"
)

func TestChoose(t *testing.T) {
	all, err := choose("")
	require.NoError(t, err)
	require.Greater(t, len(all), 3)
	for _, row := range all {
		require.Positive(t, row.Short, row.Name)
		require.GreaterOrEqual(t, row.Long, row.Short, row.Name)
		require.NotEmpty(t, row.Promise, row.Name)
	}
	some, err := choose("orders,kills")
	require.NoError(t, err)
	require.Equal(t, []string{"orders", "kills"}, []string{some[0].Name, some[1].Name})
	_, err = choose("order")
	require.ErrorContains(t, err, `there is no row "order"`)
}

// TestRowsThatNeedThePreviousRelease are left out without its program, with the reason.
func TestRowsThatNeedThePreviousRelease(t *testing.T) {
	all, err := choose("orders,upgrade")
	require.NoError(t, err)
	some, notRun := runnable(all, "")
	require.Len(t, some, 1)
	require.Equal(t, "orders", some[0].Name)
	require.Equal(t, []string{"upgrade: not run, because it needs a program of the previous release: -previous PATH"}, notRun)
	some, notRun = runnable(all, "/tmp/konbit")
	require.Len(t, some, 2)
	require.Empty(t, notRun)
}

func TestTarget(t *testing.T) {
	row := chaos.Row{Short: 3, Long: 30}
	require.Equal(t, []int{3, 30, 7}, []int{target(row, false, 0), target(row, true, 0), target(row, true, 7)})
}

func TestRowHoldsOnlyAtItsTarget(t *testing.T) {
	run := func(reach int, fail bool) result {
		return runRow(t.Context(), chaos.Row{Name: "row", Prove: func(t testing.TB, run chaos.Run) {
			run.Progress(reach)
			if fail {
				t.Error("the result is wrong")
			}
		}}, chaos.Run{Count: 3, Seed: 1})
	}
	require.True(t, run(3, false).held())
	require.False(t, run(2, false).held())
	require.False(t, run(3, true).held())
	require.False(t, report([]result{{err: errors.New("failed")}}))
	require.True(t, report(nil))
}

func TestCommit(t *testing.T) {
	require.Regexp(t, `^([0-9a-f]{12}(-dirty)?|unknown)$`, commit())
}

func TestInvalidOptions(t *testing.T) {
	require.NoError(t, chaos.Run{Mode: chaos.Safety, Replicas: 3}.Check())
	for _, wrong := range []chaos.Run{{Mode: "saftey"}, {Replicas: -1}, {Donations: -1}} {
		require.Error(t, wrong.Check())
	}
}
