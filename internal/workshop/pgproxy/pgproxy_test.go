package pgproxy_test

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

// start returns a proxy, the database through the proxy, and the database directly. The table thing exists.
func start(t *testing.T) (p *pgproxy.Proxy, through, direct *sqlx.DB) {
	t.Helper()
	db := testkit.EmptyDB(t)
	p, err := pgproxy.Start(db.OwnerURL, 1)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	db.Owner.MustExec(`CREATE TABLE thing (n integer)`)
	through, err = pg.Open(t.Context(), p.URL(), 4)
	require.NoError(t, err)
	t.Cleanup(func() { _ = through.Close() })
	return p, through, db.Owner
}

func insert(ctx context.Context, db *sqlx.DB, n int) error {
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO thing VALUES ($1)`, n)
		return err
	})
}

func count(t *testing.T, db *sqlx.DB, n int) (times int) {
	t.Helper()
	require.NoError(t, db.Get(&times, `SELECT count(*) FROM thing WHERE n = $1`, n))
	return times
}

func TestNoFaults(t *testing.T) {
	t.Parallel()
	p, through, direct := start(t)
	for n := range 50 {
		require.NoError(t, insert(t.Context(), through, n))
	}
	var large string
	require.NoError(t, through.Get(&large, `SELECT repeat('x', 1000000)`))
	require.Len(t, large, 1_000_000)
	_, err := through.Exec(`SELECT nothing`)
	require.ErrorContains(t, err, "does not exist", "what PostgreSQL says arrives")
	require.Equal(t, 1, count(t, direct, 49))
	require.Zero(t, p.Counts())
}

// TestSwallowedCommit checks that a COMMIT is executed although its reply is lost.
func TestSwallowedCommit(t *testing.T) {
	t.Parallel()
	p, through, direct := start(t)
	for n, end := range []pgproxy.End{pgproxy.FIN, pgproxy.Reset} {
		p.SetFaults(pgproxy.Faults{Swallow: 1, End: end})
		var now time.Time
		require.NoError(t, pg.InTx(t.Context(), through, func(tx *sqlx.Tx) error { return tx.Get(&now, `SELECT now()`) }), "it changed nothing")
		err := insert(t.Context(), through, n)
		require.ErrorIs(t, err, pg.ErrCommitUnknown)
		require.True(t, pg.IsTransient(err), "%v", err)
		if end == pgproxy.Reset {
			require.ErrorContains(t, err, "reset by peer")
		} else {
			require.NotContains(t, err.Error(), "reset")
		}
		require.Equal(t, 1, count(t, direct, n), "it is committed")
		require.Equal(t, n+1, p.Counts().Swallowed)
	}
	require.Equal(t, 1, p.Counts().SwallowedFIN)
	p.SetFaults(pgproxy.None())
	require.NoError(t, insert(t.Context(), through, 2), "the pool must open a new connection")
}

// TestCutAndDelayed checks that a closed connection rolls its transaction back, unless the COMMIT was
// executed, and that no row is stored twice.
func TestCutAndDelayed(t *testing.T) {
	t.Parallel()
	p, through, direct := start(t)
	p.SetFaults(pgproxy.Faults{Cut: 0.1, Delayed: 0.2, Delay: 5 * time.Millisecond})
	failed := 0
	for n := range 100 {
		err := insert(t.Context(), through, n)
		switch times := count(t, direct, n); {
		case err == nil:
			require.Equal(t, 1, times)
		default:
			failed++
			require.True(t, pg.IsTransient(err), "%v", err)
			require.LessOrEqual(t, times, 1)
		}
	}
	require.Positive(t, failed)
	require.GreaterOrEqual(t, p.Counts().Cut, failed)
	p.SetFaults(pgproxy.None())
	require.NoError(t, insert(t.Context(), through, 100))
}

func TestRefusedAndHanging(t *testing.T) {
	t.Parallel()
	p, through, direct := start(t)
	p.SetFaults(pgproxy.Faults{Refuse: true})
	require.ErrorContains(t, insert(t.Context(), through, 1), "refused")
	p.SetFaults(pgproxy.None())
	require.NoError(t, insert(t.Context(), through, 1))

	p.SetFaults(pgproxy.Faults{Hang: true})
	said := make(chan error, 1)
	go func() { said <- insert(context.Background(), through, 2) }()
	select {
	case err := <-said:
		t.Fatalf("want a time-out: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	require.Zero(t, count(t, direct, 2))
	p.SetFaults(pgproxy.None())
	require.NoError(t, <-said, "the hanging insert must complete")
	require.Equal(t, 1, count(t, direct, 2))
}

// TestPostgresAway checks the proxy when no PostgreSQL listens behind it.
func TestPostgresAway(t *testing.T) {
	t.Parallel()
	p, err := pgproxy.Start("postgres://nobody@127.0.0.1:1/none", 1)
	require.NoError(t, err)
	defer p.Close()
	_, err = pg.Open(t.Context(), p.URL(), 1)
	require.True(t, pg.IsTransient(err), "%v", err)
}
