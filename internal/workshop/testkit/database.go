package testkit

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	_ "github.com/lib/pq"

	"konbit/internal/workshop/localpg"
	"konbit/internal/workshop/testkit/short"
	"konbit/migrations"
)

// The two roles of every database, as in production: the owner migrates, the server owns nothing.
const (
	OwnerRole  = "konbit_owner"
	ServerRole = "konbit_server"
)

// A Database belongs to one test and is dropped at its end.
type Database struct {
	Server    *sqlx.DB // as ServerRole
	Owner     *sqlx.DB // as OwnerRole
	ServerURL string   // for DATABASE_URL
	OwnerURL  string   // for DATABASE_OWNER_URL
}

// DB creates a migrated database for the test. The first call in a test binary starts a private cluster, which ends
// with the binary, and migrates a model database. Each test's database is a copy of the model, made in about 30 ms in
// memory.
func DB(t testing.TB) *Database {
	t.Helper()
	return database(t, modelDatabase)
}

// EmptyDB creates a database without tables for the test.
func EmptyDB(t testing.TB) *Database {
	t.Helper()
	return database(t, "template0")
}

const modelDatabase = "konbit_model"

var (
	// The cluster outlives the test that starts it, so nothing here uses that test's context.
	cluster = sync.OnceValues(startCluster)
	migrate = sync.OnceValue(migrateModel)
	count   atomic.Int64
	options = localpg.Options{Settings: map[string]string{"max_connections": "400"}} // parallel tests have two connection pools each
)

// Durable makes the cluster flush its log at each commit, as in production, and adds settings. Programs that measure
// call it before they create the first database.
func Durable(settings map[string]string) {
	options.Durable = true
	maps.Copy(options.Settings, settings)
}

func startCluster() (*localpg.Server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	s, err := localpg.Start(ctx, options)
	if err != nil {
		return nil, err
	}
	for _, role := range []string{OwnerRole, ServerRole} {
		if err := s.CreateRole(ctx, role); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func migrateModel() error {
	s, err := cluster()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := s.CreateDatabase(ctx, modelDatabase, OwnerRole); err != nil {
		return err
	}
	return migrateAsOwner(ctx, s.URL(OwnerRole, modelDatabase))
}

// migrateAsOwner migrates a database as konbit migrate does for a program with a stand-in for Stripe.
func migrateAsOwner(ctx context.Context, ownerURL string) error {
	if err := migrations.Up(ctx, ownerURL, ServerRole); err != nil {
		return err
	}
	owner, err := sql.Open("postgres", ownerURL)
	if err != nil {
		return err
	}
	defer owner.Close() // a database with connections cannot be a template
	return migrations.LimitClock(ctx, owner, true)
}

func database(t testing.TB, template string) *Database {
	t.Helper()
	short.Skip(t, "PostgreSQL")
	s, err := cluster()
	if err == nil && template == modelDatabase {
		err = migrate()
	}
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	name := fmt.Sprintf("test_%d", count.Add(1))
	if err := s.CloneDatabase(t.Context(), name, template, OwnerRole); err != nil {
		t.Fatalf("testkit: %v", err)
	}
	t.Cleanup(func() {
		if err := s.DropDatabase(context.Background(), name); err != nil {
			t.Errorf("testkit: %v", err)
		}
	})
	d := &Database{ServerURL: s.URL(ServerRole, name), OwnerURL: s.URL(OwnerRole, name)}
	d.Server, d.Owner = open(t, d.ServerURL), open(t, d.OwnerURL)
	return d
}

// Superuser connects to a database of DB as a superuser. Roles belong to the whole cluster: change them only in a
// transaction that is rolled back.
func Superuser(t testing.TB, d *Database) *sqlx.DB {
	t.Helper()
	return open(t, strings.Replace(d.OwnerURL, OwnerRole, "postgres", 1))
}

func open(t testing.TB, url string) *sqlx.DB {
	t.Helper()
	db, err := sqlx.ConnectContext(t.Context(), "postgres", url+"&binary_parameters=yes") // as pg.Open
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(5)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
