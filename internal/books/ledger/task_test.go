package ledger

import (
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"
)

// TestTasks: one is open once, however often its fact is told; closed is closed once; and it opens again when it happens again.
func TestTasks(t *testing.T) {
	h := newFixture(t)
	at := func(minute int) time.Time { return time.Date(2026, 3, 1, 12, minute, 0, 0, time.UTC) }
	open := func(minute int, amount string) {
		task := Task{EntityID: h.tsne.entity, Kind: "payment_without_gift", Subject: "pi_1", Detail: map[string]string{"amount": amount}}
		h.inTx(t, func(tx *sqlx.Tx) error { return OpenTaskTx(t.Context(), tx, task, newID, at(minute)) })
	}
	closed := func(minute int) {
		h.inTx(t, func(tx *sqlx.Tx) error {
			return CloseTaskTx(t.Context(), tx, h.tsne.entity, "payment_without_gift", "pi_1", at(minute))
		})
	}
	only := func(f TaskFilter) StoredTask {
		t.Helper()
		tasks, err := Tasks(t.Context(), h.Server, f)
		require.NoError(t, err)
		require.Len(t, tasks, 1)
		return tasks[0]
	}
	count := func(want int) {
		t.Helper()
		n, err := OpenTasks(t.Context(), h.Server)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}

	closed(0) // none is there
	open(1, "5")
	open(2, "6")
	task := only(TaskFilter{})
	require.Equal(t, []any{"payment_without_gift", "pi_1", "5", 1}, []any{task.Kind, task.Subject, task.Detail["amount"], task.Times})
	require.True(t, at(1).Equal(task.OpenedAt))
	count(1)

	closed(3)
	closed(4)
	none, err := Tasks(t.Context(), h.Server, TaskFilter{})
	require.NoError(t, err)
	require.Empty(t, none)
	task = only(TaskFilter{Closed: true, EntityID: h.tsne.entity, Kind: "payment_without_gift", Subject: "pi_1"})
	require.True(t, at(3).Equal(*task.ClosedAt))
	count(0)

	open(5, "7")
	task = only(TaskFilter{EntityID: h.tsne.entity})
	require.Equal(t, []any{"7", 2, (*time.Time)(nil)}, []any{task.Detail["amount"], task.Times, task.ClosedAt})
	require.True(t, at(5).Equal(task.OpenedAt))
	count(1)
	for _, f := range []TaskFilter{{EntityID: newID()}, {Kind: "payout_failed"}, {Subject: "pi_2"}} {
		none, err := Tasks(t.Context(), h.Server, f)
		require.NoError(t, err)
		require.Empty(t, none)
	}
}
