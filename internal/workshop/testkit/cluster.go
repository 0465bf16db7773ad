package testkit

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"konbit/internal/workshop/localpg"
	"konbit/internal/workshop/testkit/short"
)

// A Cluster is a PostgreSQL for one test, which may damage it. Only the test's goroutine may call its methods.
type Cluster struct {
	*Database // migrated; its addresses do not change when the cluster is stopped and started

	t       testing.TB
	options localpg.Options
	server  *localpg.Server
}

// NewCluster starts a cluster with a migrated database. A commit there survives any end of PostgreSQL, SIGKILL
// included, but not a crash of the machine. settings are added to the server's settings and replace those of the same
// name.
func NewCluster(t testing.TB, settings map[string]string) *Cluster {
	t.Helper()
	short.Skip(t, "PostgreSQL")
	dir, err := localpg.NewTempDir(true) // memory keeps what a killed PostgreSQL has written, as the file cache of a disk does
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	t.Cleanup(func() { _ = dir.Remove() })
	if err := os.Chmod(dir.Path, 0o755); err != nil { // PostgreSQL's account must be able to enter
		t.Fatalf("testkit: %v", err)
	}
	c := &Cluster{t: t, options: localpg.Options{
		DataDir: filepath.Join(dir.Path, "data"), SocketDir: filepath.Join(dir.Path, "socket"),
		Settings: map[string]string{"synchronous_commit": "on", "full_page_writes": "on"},
	}}
	for name, value := range settings {
		c.options.Settings[name] = value
	}
	if c.server, err = StartMigrated(context.Background(), c.options, clusterDatabase); err != nil {
		t.Fatalf("testkit: %v", err)
	}
	t.Cleanup(c.Stop)
	c.Database = &Database{ServerURL: c.server.URL(ServerRole, clusterDatabase), OwnerURL: c.server.URL(OwnerRole, clusterDatabase)}
	c.Server, c.Owner = open(t, c.ServerURL), open(t, c.OwnerURL)
	return c
}

// clusterDatabase is the name of the database of a Cluster.
const clusterDatabase = "konbit"

// StartMigrated starts a server on a new cluster, which is a copy of the model of DB: it has the roles, and a migrated
// database of the given name. Initdb and the migrations would take a hundred times the work of the copy.
func StartMigrated(ctx context.Context, o localpg.Options, name string) (*localpg.Server, error) {
	s, err := startModelCopy(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := s.RenameDatabase(ctx, modelDatabase, name); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// AdminURL returns the address at which the superuser reaches the database.
func (c *Cluster) AdminURL() string { return c.server.URL("postgres", clusterDatabase) }

// Stop stops PostgreSQL like `pg_ctl stop -m immediate`: without a checkpoint, so that the next start recovers.
func (c *Cluster) Stop() { c.server.Stop() }

// Start starts PostgreSQL again and waits until it accepts connections.
func (c *Cluster) Start() {
	c.t.Helper()
	server, err := localpg.Start(context.Background(), c.options)
	if err != nil {
		c.t.Fatalf("testkit: %v", err)
	}
	c.server = server
}
