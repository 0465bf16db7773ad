package pg_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
)

func things(t *testing.T) *testkit.Database {
	t.Helper()
	db := testkit.EmptyDB(t)
	_, err := db.Owner.Exec(`CREATE TABLE thing (n integer CONSTRAINT thing_once UNIQUE DEFERRABLE INITIALLY DEFERRED, id uuid)`)
	require.NoError(t, err)
	return db
}

func count(t *testing.T, db *sqlx.DB) (n int) {
	t.Helper()
	require.NoError(t, db.Get(&n, `SELECT count(*) FROM thing`))
	return n
}

func add(n int) func(*sqlx.Tx) error {
	return func(tx *sqlx.Tx) error { _, err := tx.Exec(`INSERT INTO thing VALUES ($1)`, n); return err }
}

func TestOpen(t *testing.T) {
	t.Parallel()
	db, err := pg.Open(t.Context(), testkit.EmptyDB(t).ServerURL, 3)
	require.NoError(t, err)
	assert.Equal(t, 3, db.Stats().MaxOpenConnections)
	require.NoError(t, db.Close())
	_, err = pg.Open(t.Context(), "postgres://127.0.0.1:1/none?sslmode=disable", 1)
	assert.Error(t, err, "no server listens there")
}

func TestInTx(t *testing.T) {
	t.Parallel()
	db := things(t).Owner
	require.NoError(t, pg.InTx(t.Context(), db, add(1)))
	assert.Equal(t, 1, count(t, db))

	failed := errors.New("failed")
	err := pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
		require.NoError(t, add(2)(tx))
		return failed
	})
	assert.Equal(t, failed, err, "fn's error, unchanged")
	assert.Equal(t, 1, count(t, db))

	assert.Panics(t, func() {
		_ = pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
			require.NoError(t, add(3)(tx))
			panic("broken")
		})
	})
	assert.Equal(t, 1, count(t, db), "a panic rolls back")
	assert.Zero(t, db.Stats().InUse, "a panic returns the connection to the pool")
}

func TestRefusedCommitIsNotUnknown(t *testing.T) {
	t.Parallel()
	db := things(t).Owner
	require.NoError(t, pg.InTx(t.Context(), db, add(1)))
	err := pg.InTx(t.Context(), db, add(1)) // the constraint is checked at commit
	assert.True(t, pg.Violates(err, "thing_once"), "%v", err)
	assert.False(t, pg.Violates(err, "another"))
	assert.False(t, pg.Violates(nil, "thing_once"))
	assert.NotErrorIs(t, err, pg.ErrCommitUnknown)
}

// TestCommitWithoutReply closes the connection of a transaction between its last statement and its commit.
func TestCommitWithoutReply(t *testing.T) {
	t.Parallel()
	db := things(t).Owner
	err := pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
		require.NoError(t, add(1)(tx))
		var pid int
		require.NoError(t, tx.Get(&pid, `SELECT pg_backend_pid()`))
		_, err := db.Exec(`SELECT pg_terminate_backend($1, 5000)`, pid)
		return err
	})
	assert.ErrorIs(t, err, pg.ErrCommitUnknown)
	assert.True(t, pg.IsTransient(err), "%v", err)
	assert.Zero(t, count(t, db))
	assert.NoError(t, pg.InTx(t.Context(), db, add(1)), "the pool opens a new connection")
}

func TestIsTransient(t *testing.T) {
	t.Parallel()
	made := things(t)
	db := made.Owner
	killed := pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
		_, err := tx.Exec(`SELECT pg_terminate_backend(pg_backend_pid())`)
		return err
	})
	assert.True(t, pg.IsTransient(killed), "%v", killed)

	_, refused := pg.Open(t.Context(), "postgres://127.0.0.1:1/none?sslmode=disable", 1)
	assert.True(t, pg.IsTransient(refused), "%v", refused)

	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	slow := pg.InTx(short, db, func(tx *sqlx.Tx) error { _, err := tx.ExecContext(short, `SELECT pg_sleep(5)`); return err })
	assert.True(t, pg.IsTransient(slow), "%v", slow)

	prompt, err := pg.OpenForRequests(t.Context(), made.OwnerURL, 1)
	require.NoError(t, err)
	defer prompt.Close()
	holder := db.MustBegin()
	holder.MustExec(`LOCK TABLE thing`)
	locked := pg.InTx(t.Context(), prompt, func(tx *sqlx.Tx) error { _, err := tx.Exec(`LOCK TABLE thing`); return err })
	assert.True(t, pg.IsTransient(locked) && pg.IsLockTimeout(locked), "before the request's timeout: %v", locked)
	require.NoError(t, holder.Rollback())
	slept := pg.InTx(t.Context(), prompt, func(tx *sqlx.Tx) error { _, err := tx.Exec(`SELECT pg_sleep(5)`); return err })
	assert.True(t, pg.IsTransient(slept), "%v", slept)

	mistake := pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error { _, err := tx.Exec(`SELECT 1/0`); return err })
	assert.False(t, pg.IsTransient(mistake), "%v", mistake)
	assert.False(t, pg.IsTransient(errors.New("anything else")))
	assert.False(t, pg.IsTransient(nil))
}

func TestUUIDs(t *testing.T) {
	t.Parallel()
	db := testkit.EmptyDB(t).Server
	want := []uuid.UUID{uuid.New(), uuid.New()}
	var got []uuid.UUID
	require.NoError(t, db.Select(&got, `SELECT unnest($1::uuid[])`, pg.UUIDs(want)))
	assert.Equal(t, want, got)
	require.NoError(t, db.Select(&got, `SELECT unnest($1::uuid[])`, pg.UUIDs([]uuid.UUID{})))
}

// TestInTxAsyncCommit: the setting ends with the transaction, and an error still rolls back.
func TestInTxAsyncCommit(t *testing.T) {
	t.Parallel()
	db := testkit.EmptyDB(t).Owner
	db.SetMaxOpenConns(1)
	db.MustExec(`SET synchronous_commit = on`)
	db.MustExec(`CREATE TABLE thing (n integer)`)
	flushes := func(q sqlx.Queryer) (setting string) {
		require.NoError(t, sqlx.Get(q, &setting, `SHOW synchronous_commit`))
		return setting
	}
	broken := errors.New("broken")
	require.ErrorIs(t, pg.InTxAsyncCommit(t.Context(), db, func(tx *sqlx.Tx) error {
		require.Equal(t, "off", flushes(tx))
		tx.MustExec(`INSERT INTO thing VALUES (1)`)
		return broken
	}), broken)
	require.NoError(t, pg.InTxAsyncCommit(t.Context(), db, func(tx *sqlx.Tx) error {
		_, err := tx.Exec(`INSERT INTO thing VALUES (2)`)
		return err
	}))
	require.Equal(t, "on", flushes(db))
	var n int
	require.NoError(t, db.Get(&n, `SELECT sum(n) FROM thing`))
	require.Equal(t, 2, n)
}
