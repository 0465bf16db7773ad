package pg_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/localpg"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/short"
)

const addReturning = `/* test.add */ INSERT INTO thing VALUES ($1) RETURNING n`

func TestRepeatable(t *testing.T) {
	t.Parallel()
	db := things(t).Owner
	for i := range 5 { // as text, and prepared
		rows, err := pg.Repeatable[int](t.Context(), db, addReturning, i)
		require.NoError(t, err)
		require.Equal(t, []int{i}, rows)
	}
	require.Equal(t, 5, count(t, db))
	_, err := pg.Repeatable[int](t.Context(), db, addReturning, 1) // the constraint is checked at commit
	assert.True(t, pg.Violates(err, "thing_once"), "%v", err)
	assert.NotErrorIs(t, err, pg.ErrCommitUnknown)
	require.Equal(t, 5, count(t, db))
	require.Zero(t, db.Stats().InUse, "each connection is returned to the pool")
}

// TestRepeatableOverBrokenConnections ends all connections of a pool while it does not use them, as a restart of the
// database does.
func TestRepeatableOverBrokenConnections(t *testing.T) {
	t.Parallel()
	made := things(t)
	db, err := pg.Open(t.Context(), made.OwnerURL, 3)
	require.NoError(t, err)
	defer db.Close()
	var open []*sqlx.Conn
	for range 3 {
		conn, err := db.Connx(t.Context())
		require.NoError(t, err)
		var pid int
		require.NoError(t, conn.GetContext(t.Context(), &pid, `SELECT pg_backend_pid()`))
		made.Owner.MustExec(`SELECT pg_terminate_backend($1, 5000)`, pid)
		open = append(open, conn)
	}
	for _, conn := range open {
		require.NoError(t, conn.Close())
	}
	rows, err := pg.Repeatable[int](t.Context(), db, addReturning, 1)
	require.NoError(t, err)
	require.Equal(t, []int{1}, rows)
	require.Equal(t, 1, count(t, db))
}

// TestRepeatableReportsNoUnsafeSuccess: a standby does not answer, and ctx ends. PostgreSQL answers with success.
func TestRepeatableReportsNoUnsafeSuccess(t *testing.T) {
	t.Parallel()
	short.Skip(t, "PostgreSQL")
	server, err := localpg.Start(t.Context(), localpg.Options{Settings: map[string]string{"synchronous_commit": "on"}})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	db, err := pg.Open(t.Context(), server.URL("postgres", "postgres"), 3)
	require.NoError(t, err)
	defer db.Close()
	db.MustExec(`CREATE TABLE thing (n integer)`)
	require.NoError(t, server.Set(t.Context(), "synchronous_standby_names", localpg.StandbyName))
	tries := 0
	testkit.Eventually(t, time.Minute, func() error { // until the server has read the setting, it does not wait
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		tries++
		if _, err = pg.Repeatable[int](ctx, db, addReturning, 1); err == nil {
			return errors.New("the statement did not wait for the standby")
		}
		return nil
	})
	require.ErrorIs(t, err, pg.ErrCommitUnknown)
	require.True(t, pg.IsTransient(err))
	testkit.Eventually(t, 10*time.Second, func() error { return db.Ping() })
	require.Equal(t, tries, count(t, db), "it was committed here")
}
