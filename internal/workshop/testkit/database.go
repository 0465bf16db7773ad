package testkit

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
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

// The roles that log in to every database, as in production: the owner migrates, the server owns nothing.
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
// with the binary and has a migrated model database. Each test's database is a copy of the model, made in about 30 ms
// in memory.
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
	count   atomic.Int64
	options = localpg.Options{Settings: map[string]string{
		"max_connections": "400",     // parallel tests have two connection pools each
		"log_line_prefix": logPrefix, // Deadlocks reads the log
	}}
)

// Durable makes the cluster flush its log at each commit, as in production, and adds settings. Programs that measure
// call it before they create the first database.
func Durable(settings map[string]string) {
	options.Durable = true
	maps.Copy(options.Settings, settings)
}

// startCluster starts the cluster. Only a durable one is made by initdb and migrated; the others are copies of one model,
// which all test binaries of these migrations share.
func startCluster() (*localpg.Server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute) // another process may be making the model
	defer cancel()
	if options.Durable {
		s, err := localpg.Start(ctx, options)
		if err != nil {
			return nil, err
		}
		return s, prepare(ctx, s)
	}
	return startModelCopy(ctx, options)
}

// startModelCopy starts a server on a copy of the model.
func startModelCopy(ctx context.Context, o localpg.Options) (*localpg.Server, error) {
	key, err := modelKey()
	if err != nil {
		return nil, err
	}
	return localpg.StartCopy(ctx, o, localpg.Model{Key: key, Prepare: prepare})
}

// prepare creates the roles and the migrated model database.
func prepare(ctx context.Context, s *localpg.Server) error {
	if err := CreateRoles(ctx, s); err != nil {
		return err
	}
	if err := s.CreateDatabase(ctx, modelDatabase, OwnerRole); err != nil {
		return err
	}
	return migrateAsOwner(ctx, s.URL(OwnerRole, modelDatabase))
}

// CreateRoles creates the roles of a database: the owner, the server, and the role in which staff pages read.
func CreateRoles(ctx context.Context, s *localpg.Server) error {
	for _, role := range []string{OwnerRole, ServerRole} {
		if err := s.CreateRole(ctx, role); err != nil {
			return err
		}
	}
	for _, statement := range migrations.OfficeStatements(ServerRole) {
		if err := s.Run(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// modelKey returns a hash of what prepare depends on: the migrations, the modules, and this file.
func modelKey() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	paths, err := filepath.Glob(filepath.Join(root, "migrations", "*"))
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, path := range append(paths, filepath.Join(root, "go.sum"), filepath.Join(root, "internal/workshop/testkit/database.go")) {
		content, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", filepath.Base(path), len(content), content)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// moduleRoot returns the directory of go.mod. A test runs in its package's directory.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod above the test")
		}
	}
	return "", err
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

// CopyOf creates a copy of a database for the test. Nothing else may be connected to it: a server that uses it is stopped.
func CopyOf(t testing.TB, d *Database) *Database {
	t.Helper()
	for _, db := range []*sqlx.DB{d.Server, d.Owner} {
		db.SetMaxIdleConns(0) // a database with connections cannot be a template
		defer db.SetMaxIdleConns(5)
	}
	from, err := url.Parse(d.OwnerURL)
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return database(t, strings.TrimPrefix(from.Path, "/"))
}
