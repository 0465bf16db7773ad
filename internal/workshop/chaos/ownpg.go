package chaos

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/localpg"
	"konbit/internal/workshop/testkit"
	"konbit/migrations"
)

// separatePG is a separate PostgreSQL for a row that changes its disk or its clock.
type separatePG struct {
	*testkit.Database
	options localpg.Options
	server  *localpg.Server
	admin   string // address for the superuser
}

// startSeparatePG starts a PostgreSQL with the options, which has a migrated database. Without DataDir, its directory is
// under /tmp, on disk, where its account may enter. It keeps its addresses over restarts, and ends with the row.
func startSeparatePG(t testing.TB, o localpg.Options) *separatePG {
	t.Helper()
	base, err := os.MkdirTemp("/tmp", "konbit-own-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	require.NoError(t, os.Chmod(base, 0o755))
	o.SocketDir = filepath.Join(base, "socket")
	if o.DataDir == "" {
		o.DataDir = filepath.Join(base, "data")
	}
	ctx, name := context.Background(), "konbit"
	p := &separatePG{options: o}
	p.server, err = testkit.StartMigrated(ctx, o, name)
	require.NoError(t, err)
	t.Cleanup(func() { p.server.Stop() })
	p.admin = p.server.URL("postgres", name)
	p.Database = &testkit.Database{ServerURL: p.server.URL(testkit.ServerRole, name), OwnerURL: p.server.URL(testkit.OwnerRole, name)}
	p.Owner, p.Server = p.open(t, p.OwnerURL), p.open(t, p.ServerURL)
	require.NoError(t, migrations.LimitClock(ctx, p.Owner.DB, false))
	return p
}

func (p *separatePG) open(t testing.TB, url string) *sqlx.DB {
	db, err := sqlx.Connect("postgres", url+"&binary_parameters=yes") // as pg.Open
	require.NoError(t, err)
	db.SetMaxOpenConns(10)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// supervise restarts PostgreSQL when it ends by itself, as a service manager does, until the row ends.
func (p *separatePG) supervise(t testing.TB) {
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-p.server.Done():
			}
			if again, err := localpg.Start(ctx, p.options); err == nil {
				p.server = again
			} else {
				time.Sleep(500 * time.Millisecond)
			}
		}
	})
	t.Cleanup(func() { cancel(); watching.Wait() })
}

// switchLog requests a new file of the log, for which a full disk has no space. It does not wait for the result.
func (p *separatePG) switchLog() {
	db, err := sqlx.Open("postgres", p.admin)
	if err != nil {
		return
	}
	defer db.Close()
	for range 3 {
		_ = pg.InTx(context.Background(), db, func(tx *sqlx.Tx) error {
			_, err := tx.Exec(`SELECT pg_switch_wal(), pg_logical_emit_message(false, 'chaos', 'fills')`)
			return err
		})
	}
}
