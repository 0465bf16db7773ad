package pg_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
)

func TestFrequentStatementsArePrepared(t *testing.T) {
	t.Parallel()
	db, err := pg.Open(t.Context(), things(t).OwnerURL, 1) // one connection: each has its own statements
	require.NoError(t, err)
	defer db.Close()
	prepared := func() (n int) {
		require.NoError(t, db.Get(&n, `SELECT count(*) FROM pg_prepared_statements`))
		return n
	}
	names := func() (all []string) {
		require.NoError(t, db.Select(&all, `SELECT name || prepare_time FROM pg_prepared_statements ORDER BY 1`))
		return all
	}
	for n := range 5 {
		require.NoError(t, pg.InTx(t.Context(), db, add(n)))
		var one int
		require.NoError(t, db.Get(&one, `SELECT n FROM thing WHERE n = $1`, n))
		require.Equal(t, n, one)
	}
	assert.Equal(t, 2, prepared())
	var half int
	for range 5 {
		require.NoError(t, db.Get(&half, `SELECT 2 / $1::integer`, 2))
	}
	before := names()
	require.Len(t, before, 3)
	require.Error(t, db.Get(&half, `SELECT 2 / $1::integer`, 0))
	require.NoError(t, db.Get(&half, `SELECT 2 / $1::integer`, 2))
	assert.Equal(t, before, names(), "a statement's own error does not discard the connection")
	for n := range 5 {
		require.NoError(t, db.Get(&half, `SELECT n FROM thing WHERE n = $1 FOR UPDATE SKIP LOCKED`, n))
	}
	assert.Equal(t, before, names(), "what takes from a queue is planned each time")
	for n := range 1000 {
		var same int
		require.NoError(t, db.Get(&same, fmt.Sprintf(`SELECT %d + $1::integer`, n), 1))
	}
	assert.Equal(t, before, names(), "a statement that runs once is not prepared")
}

// TestPreparedOverAMigration: after a column was added or changed, or after a pooler dropped a prepared statement, the
// statement fails at most once. Where a second attempt succeeds, the error is transient.
func TestPreparedOverAMigration(t *testing.T) {
	t.Parallel()
	things := things(t)
	db, err := pg.Open(t.Context(), things.OwnerURL, 1)
	require.NoError(t, err)
	defer db.Close()
	ask := func() error {
		var rows []map[string]any
		r, err := db.Queryx(`SELECT * FROM thing WHERE n = $1`, 1)
		for err == nil && r.Next() {
			row := map[string]any{}
			err = r.MapScan(row)
			rows = append(rows, row)
		}
		if r != nil {
			_ = r.Close()
		}
		if err == nil {
			require.Len(t, rows, 1)
		}
		return err
	}
	require.NoError(t, pg.InTx(t.Context(), db, add(1)))
	for _, change := range []string{`ALTER TABLE thing ADD COLUMN more text`, `ALTER TABLE thing DROP COLUMN more`} {
		for range 5 {
			require.NoError(t, ask())
		}
		things.Owner.MustExec(change)
		err := ask()
		require.Error(t, err)
		assert.True(t, pg.IsTransient(err), "%v", err)
		require.NoError(t, ask())
	}
	for range 5 {
		require.NoError(t, ask())
	}
	db.MustExec(`DEALLOCATE ALL`)
	assert.True(t, pg.IsTransient(ask()))
	require.NoError(t, ask())

	find := func(which string) error {
		var n string
		return db.Get(&n, `SELECT 'n' FROM thing WHERE n = $1`, which)
	}
	for range 5 {
		require.NoError(t, find("1"))
	}
	things.Owner.MustExec(`ALTER TABLE thing ALTER n TYPE bigint`)
	things.Owner.MustExec(`INSERT INTO thing (n) VALUES (3000000000)`)
	require.Error(t, find("3000000000"))
	for range 5 {
		require.NoError(t, find("3000000000"))
	}
	things.Owner.MustExec(`ALTER TABLE thing ALTER n TYPE text`)
	require.Error(t, find("3000000000"))
	for range 5 {
		require.NoError(t, find("3000000000"))
	}
}

// TestACancelledConnectionIsNotUsedAgain: the request to cancel has a connection of its own and may arrive when the
// next statement runs.
func TestACancelledConnectionIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	db, err := pg.Open(t.Context(), testkit.EmptyDB(t).OwnerURL, 1)
	require.NoError(t, err)
	defer db.Close()
	server := func() (pid int) {
		require.NoError(t, db.Get(&pid, `SELECT pg_backend_pid()`))
		return pid
	}
	for range 5 { // the last ones are prepared
		var slept string
		require.NoError(t, db.Get(&slept, `SELECT pg_sleep($1)::text`, 0))
	}
	before := server()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = db.ExecContext(ctx, `SELECT pg_sleep($1)::text`, 20)
	require.Error(t, err)
	assert.NotEqual(t, before, server())
}
