package pg_test

import (
	"context"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/pgproxy"
	"konbit/internal/workshop/testkit"
)

// TestSilentDatabaseEndsWithTheContext: the network starts to drop all packets during each kind of operation. The
// operation ends soon after its ctx, and the pool works again afterwards.
func TestSilentDatabaseEndsWithTheContext(t *testing.T) {
	t.Parallel()
	const untilCancel, atMost = 200 * time.Millisecond, 5 * time.Second // shorter than the URL's connect_timeout
	p, err := pgproxy.Start(testkit.EmptyDB(t).OwnerURL, 1)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	for name, do := range map[string]func(ctx context.Context, db *sqlx.DB, silent func()) error{
		"a query": func(ctx context.Context, db *sqlx.DB, silent func()) error {
			silent()
			var n int
			return db.GetContext(ctx, &n, `SELECT 1`)
		},
		"a prepared query": func(ctx context.Context, db *sqlx.DB, silent func()) error {
			var n int
			for range 5 {
				require.NoError(t, db.GetContext(ctx, &n, `SELECT $1::integer`, 1))
			}
			silent()
			return db.GetContext(ctx, &n, `SELECT $1::integer`, 1)
		},
		"rows being read": func(ctx context.Context, db *sqlx.DB, silent func()) error {
			rows, err := db.QueryContext(ctx, `SELECT repeat('x', 100000) FROM generate_series(1, 1000)`)
			require.NoError(t, err)
			defer rows.Close()
			silent()
			for rows.Next() {
			}
			return rows.Err()
		},
		"a transaction": func(ctx context.Context, db *sqlx.DB, silent func()) error {
			return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
				silent()
				_, err := tx.ExecContext(ctx, `CREATE TABLE never (n integer)`)
				return err
			})
		},
		"a transaction that begins": func(ctx context.Context, db *sqlx.DB, silent func()) error {
			silent()
			return pg.InTx(ctx, db, func(*sqlx.Tx) error { return nil })
		},
		"a rollback": func(ctx context.Context, db *sqlx.DB, silent func()) error {
			return pg.InTx(ctx, db, func(*sqlx.Tx) error { silent(); return context.DeadlineExceeded })
		},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := pg.Open(t.Context(), p.URL()+"&connect_timeout=12", 1)
			require.NoError(t, err)
			defer db.Close()
			ctx, cancel := context.WithCancel(t.Context())
			defer time.AfterFunc(2*atMost, func() { p.SetFaults(pgproxy.None()) }).Stop() // the test has failed by then
			began := time.Now()
			err = do(ctx, db, func() {
				p.SetFaults(pgproxy.Faults{Hang: true})
				time.AfterFunc(untilCancel, cancel)
			})
			require.Error(t, err)
			require.True(t, pg.IsTransient(err), "%v", err)
			require.Less(t, time.Since(began), atMost)
			again, done := context.WithTimeout(t.Context(), untilCancel)
			defer done()
			require.Error(t, db.PingContext(again), "the database still does not reply")
			p.SetFaults(pgproxy.None())
			require.NoError(t, db.PingContext(t.Context()))
			require.NoError(t, pg.InTx(t.Context(), db, func(*sqlx.Tx) error { return nil }))
		})
	}
}

// TestOpenWaitsForABusyDatabase: the database accepts the connection, and replies only after the time that one attempt
// may take.
func TestOpenWaitsForABusyDatabase(t *testing.T) {
	t.Parallel()
	p, err := pgproxy.Start(testkit.EmptyDB(t).OwnerURL, 1)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	p.SetFaults(pgproxy.Faults{Hang: true})
	defer time.AfterFunc(1500*time.Millisecond, func() { p.SetFaults(pgproxy.None()) }).Stop()
	db, err := pg.Open(t.Context(), p.URL()+"&connect_timeout=1", 1)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}
