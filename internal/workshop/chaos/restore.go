package chaos

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/localpg"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/many"
	"konbit/migrations"
)

func init() {
	register(Row{
		Name: "restore", No: "20", Short: 14, Long: 1000, Prove: Restore,
		Promise: "megabytes of books, dumped and restored into an empty server within 15 minutes, equal and valid; and a lost disk " +
			"restored from a copy and the archived log, at most the last 5 minutes missing",
	})
}

const (
	restored  = 15 * time.Minute
	mostLost  = 5 * time.Minute
	finishLog = 2 * time.Second // archive_timeout; a minute in production
)

// Restore checks both ways of recovery: the nightly dump, and the archived log.
func Restore(t testing.TB, run Run) {
	fromDump(t, run)
	fromLog(t, run)
}

// fromDump fills the books, dumps them, restores the dump by the documented steps, and continues there.
func fromDump(t testing.TB, run Run) {
	s := e2e.Start(t, e2e.Options{Stopped: true, Stripe: stripefake.Options{Seed: run.Seed | 1}})
	size := func() (bytes int) {
		require.NoError(t, s.DB.Owner.Get(&bytes, `SELECT pg_database_size(current_database())`))
		return bytes
	}
	gifts := 0
	for whole := run.Count * 1_000_000; size() < whole; {
		const each = 9000 // bytes of a gift, roughly
		more := max(100, (whole-size())/each)
		require.NoError(t, many.Fill(context.Background(), s.DB.Owner, more, run.Seed))
		gifts += more
	}
	run.Record("gifts", fmt.Sprint(gifts))
	balances := s.KonbitWithin(restored, "ledger", "balance", "--json")
	dump := filepath.Join(t.TempDir(), "konbit.dump")
	took(run, "dump", func() { pgTool(t, "pg_dump", "--format=custom", "--file="+dump, "--dbname="+s.DB.OwnerURL) })

	began := time.Now()
	empty := emptyDatabase(t)
	took(run, "pg_restore", func() {
		pgTool(t, "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", "--dbname="+empty.OwnerURL, dump)
	})
	s.MoveTo(empty)
	s.KonbitWithin(restored, "migrate")
	took(run, "verify", func() { s.KonbitWithin(restored, "ledger", "verify") })
	require.Less(t, time.Since(began), restored)
	run.Record("restored and verified", time.Since(began).Round(time.Millisecond).String())
	require.Equal(t, balances, s.KonbitWithin(restored, "ledger", "balance", "--json"))

	s.Restart()
	give(t, s, 1, patient)
	s.WaitDrained(settled)
	var more int
	require.NoError(t, s.DB.Owner.Get(&more, `SELECT count(*) FROM donation WHERE status = 'settled'`))
	require.Equal(t, gifts+1, more)
	s.KonbitWithin(restored, "ledger", "verify")
	s.Kill()
	run.Progress(run.Count)
}

// fromLog loses the disk of a running Konbit's database and restores it from a copy and the archived log.
func fromLog(t testing.TB, run Run) {
	base, err := os.MkdirTemp("/tmp", "konbit-log-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(base, 0o755))
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	options := localpg.Options{
		DataDir: filepath.Join(base, "data"), SocketDir: filepath.Join(base, "socket"), Archive: filepath.Join(base, "archive"),
		Settings: map[string]string{"synchronous_commit": "on", "full_page_writes": "on", "archive_timeout": fmt.Sprint(int(finishLog.Seconds()))},
	}
	server, err := testkit.StartMigrated(context.Background(), options, database)
	require.NoError(t, err)
	t.Cleanup(func() { server.Stop() })
	db := connect(t, server)
	require.NoError(t, migrations.LimitClock(context.Background(), db.Owner.DB, false))
	s := e2e.Start(t, e2e.Options{DB: db, Stripe: stripefake.Options{Seed: run.Seed | 1}})
	copied := filepath.Join(base, "copy")
	require.NoError(t, server.Copy(context.Background(), copied))

	began, n := time.Now(), 0
	for ; time.Since(began) < 3*finishLog; time.Sleep(100 * time.Millisecond) {
		n++
		give(t, s, n, patient)
	}
	var steps []time.Time
	require.NoError(t, db.Owner.Select(&steps, `SELECT at FROM donation_step ORDER BY at`))
	require.NoError(t, server.Kill())
	lostAt := time.Now()
	s.Kill()
	require.NoError(t, localpg.Remove(context.Background(), options.DataDir))

	options.DataDir, options.Recover = copied, true
	took(run, "recovered from the log", func() { server, err = localpg.Start(context.Background(), options) })
	require.NoError(t, err)
	var last time.Time
	require.NoError(t, db.Owner.Get(&last, `SELECT max(at) FROM donation_step`))
	run.Record("lost of the last", lostAt.Sub(last).Round(time.Millisecond).String())
	require.True(t, steps[0].Before(last), "the log brought back more than the copy had")
	require.Less(t, lostAt.Sub(last), mostLost)
	s.Konbit("ledger", "verify")
	s.Restart()
	give(t, s, n+1, patient)
	s.Kill()
}

// took runs do and records its time in the table.
func took(run Run, what string, do func()) {
	began := time.Now()
	do()
	run.Record(what, time.Since(began).Round(time.Millisecond).String())
}

// pgTool runs a client program of PostgreSQL.
func pgTool(t testing.TB, name string, args ...string) {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(t, err, string(out))
}

// emptyDatabase starts a separate PostgreSQL and creates a database without tables.
func emptyDatabase(t testing.TB) *testkit.Database {
	t.Helper()
	server, err := localpg.Start(context.Background(), localpg.Options{})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	return newDatabase(t, server)
}

// newDatabase creates the roles and an empty database.
func newDatabase(t testing.TB, server *localpg.Server) *testkit.Database {
	t.Helper()
	ctx := context.Background()
	require.NoError(t, testkit.CreateRoles(ctx, server))
	require.NoError(t, server.CreateDatabase(ctx, database, testkit.OwnerRole))
	return connect(t, server)
}

// connect connects both roles to the database.
func connect(t testing.TB, server *localpg.Server) *testkit.Database {
	t.Helper()
	db := &testkit.Database{ServerURL: server.URL(testkit.ServerRole, database), OwnerURL: server.URL(testkit.OwnerRole, database)}
	for url, into := range map[string]**sqlx.DB{db.ServerURL: &db.Server, db.OwnerURL: &db.Owner} {
		var err error
		*into, err = sqlx.Connect("postgres", url+"&binary_parameters=yes") // as pg.Open
		require.NoError(t, err)
		t.Cleanup(func() { _ = (*into).Close() })
	}
	return db
}
