package task

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
)

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// kindForTest registers a kind and removes it at the end of the test.
func kindForTest(t *testing.T, link Link) *Kind {
	k := Register(Kind{Code: "kind_of_a_test", Severity: Low, For: Finance, Link: link, Closes: ByPerson})
	t.Cleanup(func() { delete(registry, k.Code) })
	return k
}

// storedEntity inserts a legal entity, which a task refers to.
func storedEntity(t *testing.T, db *testkit.Database) uuid.UUID {
	id := newID()
	require.NoError(t, pg.InTx(t.Context(), db.Owner, func(tx *sqlx.Tx) error {
		_, err := tx.Exec(`INSERT INTO legal_entity (id, slug, legal_name, ein, address, timezone, currency, mail_from, created_at, updated_at)
			VALUES ($1, 'tsne', 'An Entity', '12-3456789', '{}', 'America/New_York', 'USD', 'gifts@example.org', now(), now())`, id)
		return err
	}))
	return id
}

// TestLifeOfATask: a task is open once, however often its fact is reported; it is closed once; it opens again when the
// same happens again.
func TestLifeOfATask(t *testing.T) {
	db := testkit.DB(t)
	entity, kind := storedEntity(t, db), kindForTest(t, Link{Object: Payment})
	inTx := func(fn func(tx *sqlx.Tx) error) {
		t.Helper()
		require.NoError(t, pg.InTx(t.Context(), db.Server, fn))
	}
	at := func(minute int) time.Time { return time.Date(2026, 3, 1, 12, minute, 0, 0, time.UTC) }
	open := func(minute int, amount string) {
		opened := Task{EntityID: entity, Kind: kind, Subject: "pi_1", Detail: map[string]string{"amount": amount}}
		inTx(func(tx *sqlx.Tx) error { return OpenTx(t.Context(), tx, opened, newID, at(minute)) })
	}
	closed := func(minute int) {
		inTx(func(tx *sqlx.Tx) error { return CloseTx(t.Context(), tx, entity, kind, "pi_1", at(minute)) })
	}
	only := func(f Filter) Stored {
		t.Helper()
		tasks, err := List(t.Context(), db.Server, f)
		require.NoError(t, err)
		require.Len(t, tasks, 1)
		return tasks[0]
	}
	count := func(want int) {
		t.Helper()
		n, err := CountOpen(t.Context(), db.Server)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}

	closed(0) // none is open
	open(1, "5")
	open(2, "6")
	first := only(Filter{})
	require.Equal(t, []any{kind, "pi_1", "5", 1}, []any{first.Kind(), first.Subject, first.Detail["amount"], first.Times})
	require.True(t, at(1).Equal(first.OpenedAt))
	count(1)

	closed(3)
	closed(4)
	none, err := List(t.Context(), db.Server, Filter{})
	require.NoError(t, err)
	require.Empty(t, none)
	first = only(Filter{Closed: true, EntityID: entity, Code: kind.Code, Subject: "pi_1"})
	require.True(t, at(3).Equal(*first.ClosedAt))
	count(0)

	open(5, "7")
	again := only(Filter{EntityID: entity})
	require.Equal(t, []any{"7", 2, (*time.Time)(nil)}, []any{again.Detail["amount"], again.Times, again.ClosedAt})
	require.True(t, at(5).Equal(again.OpenedAt))
	count(1)
	for _, f := range []Filter{{EntityID: newID()}, {Code: "another_kind"}, {Subject: "pi_2"}} {
		none, err := List(t.Context(), db.Server, f)
		require.NoError(t, err)
		require.Empty(t, none)
	}

	inTx(func(tx *sqlx.Tx) error { return CloseStoredTx(t.Context(), tx, again, at(6)) })
	count(0)
}

// TestATaskAboutAStateSaysHowItIsNow: while a task that closes automatically is open, its details follow.
func TestATaskAboutAStateSaysHowItIsNow(t *testing.T) {
	db := testkit.DB(t)
	entity := storedEntity(t, db)
	kind := *kindForTest(t, Link{Object: Payment})
	for _, closes := range []Closing{Automatically, ByPerson} {
		kind.Closes = closes
		for n := range 3 {
			opened := Task{EntityID: entity, Kind: &kind, Subject: string(closes), Detail: map[string]string{"events": strconv.Itoa(n + 1)}}
			require.NoError(t, pg.InTx(t.Context(), db.Server, func(tx *sqlx.Tx) error {
				return OpenTx(t.Context(), tx, opened, newID, time.Date(2026, 3, 1, 12, n, 0, 0, time.UTC))
			}))
		}
		all, err := List(t.Context(), db.Server, Filter{Subject: string(closes)})
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, map[Closing]string{Automatically: "3", ByPerson: "1"}[closes], all[0].Detail["events"])
		require.Equal(t, 1, all[0].Times)
		require.Equal(t, 0, all[0].OpenedAt.UTC().Minute(), "it is open since the first")
	}
}

// TestATaskOfAnotherVersionCanBeClosed: its kind is not registered here.
func TestATaskOfAnotherVersionCanBeClosed(t *testing.T) {
	db := testkit.DB(t)
	entity := storedEntity(t, db)
	require.NoError(t, pg.InTx(t.Context(), db.Server, func(tx *sqlx.Tx) error {
		opened := Task{EntityID: entity, Kind: &Kind{Code: "of_the_next_version"}, Subject: "1"}
		require.NoError(t, OpenTx(t.Context(), tx, opened, newID, time.Now()))
		tasks, err := List(t.Context(), tx, Filter{})
		require.NoError(t, err)
		require.Nil(t, tasks[0].Kind())
		object, id := tasks[0].Target()
		require.Empty(t, string(object)+id)
		require.NoError(t, CloseStoredTx(t.Context(), tx, tasks[0], time.Now()))
		n, err := CountOpen(t.Context(), tx)
		require.Zero(t, n)
		return err
	}))
	require.ErrorIs(t, OpenTx(t.Context(), nil, Task{EntityID: entity, Subject: "1"}, newID, time.Now()), errNoKind)
}
