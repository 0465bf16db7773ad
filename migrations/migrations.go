// Package migrations holds the schema and brings a database to it.
//
// Migrations run as the owner of the tables. The server's own role owns nothing: after the
// migrations, grants.sql gives it, table by table, what it may do, and nothing else.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed 0*.sql
var files embed.FS

//go:embed grants.sql
var grants string

// Up brings the database at ownerURL to the newest schema and renews the grants of serverRole and of OfficeRole. A
// database just restored from a dump is analysed.
// Any number of replicas may call it at once: one works, the others wait for it.
func Up(ctx context.Context, ownerURL, serverRole string) error {
	db, err := sql.Open("postgres", ownerURL)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := upRetrying(ctx, ownerURL); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := grant(ctx, db, serverRole); err != nil {
		return err
	}
	if err := openOffice(ctx, ownerURL, serverRole); err != nil {
		return fmt.Errorf("rights of %s: %w", OfficeRole, err)
	}
	return analyze(ctx, db)
}

// A statement of a migration waits for a lock for lockTimeout. Every query on the table queues behind it, so it gives up
// soon, leaves the queue for lockPause, and the migration runs again: a backup or a long query holds its lock for minutes.
const (
	lockTimeout = 2 * time.Second
	lockPause   = time.Second
)

// maxDeadlocks and maxLockTimeouts are the numbers of failures after which Up reports an error: 20 deadlocks, or about
// ten minutes without a lock.
const (
	maxDeadlocks    = 20
	maxLockTimeouts = 200
)

// upRetrying runs the pending migrations. Each migration is one transaction, or one statement that may be repeated. If
// PostgreSQL rolls one back because of a deadlock with a running server, or because it waited for a lock for lockTimeout,
// upRetrying runs it again.
func upRetrying(ctx context.Context, ownerURL string) error {
	db, err := openBounded(ownerURL)
	if err != nil {
		return err
	}
	defer db.Close()
	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	for deadlocks, timeouts := 0, 0; ; {
		_, err := provider.Up(ctx)
		var refused *pq.Error
		switch {
		case err == nil || !errors.As(err, &refused):
			return err
		case refused.Code == pqerror.TRDeadlockDetected && deadlocks < maxDeadlocks:
			deadlocks++
		case refused.Code == pqerror.LockNotAvailable && timeouts < maxLockTimeouts:
			timeouts++
			select {
			case <-ctx.Done():
				return err
			case <-time.After(lockPause):
			}
		default:
			return err
		}
	}
}

// openBounded opens the database with lockTimeout, unless the URL sets lock_timeout.
func openBounded(ownerURL string) (*sql.DB, error) {
	config, err := pq.NewConfig(ownerURL)
	if err != nil {
		return nil, err
	}
	settings := map[string]string{"lock_timeout": strconv.FormatInt(lockTimeout.Milliseconds(), 10)}
	maps.Copy(settings, config.Runtime)
	config.Runtime = settings
	connector, err := pq.NewConnectorConfig(config)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// analyze has the database take stock of tables that were filled and never looked at: a restored dump brings no
// statistics, and the planner, thinking them empty, would read all entries once for each entry.
func analyze(ctx context.Context, db *sql.DB) error {
	const query = `/* migrations.analyze */ SELECT EXISTS (SELECT FROM journal_entry)
		AND NOT EXISTS (SELECT FROM pg_stats WHERE schemaname = current_schema() AND tablename = 'journal_entry')`
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var blind bool
	if err := tx.QueryRowContext(ctx, query).Scan(&blind); err != nil || !blind {
		return err
	}
	if _, err := tx.ExecContext(ctx, `ANALYZE`); err != nil {
		return err
	}
	return tx.Commit()
}

// Pending says how many migrations this program knows that the database at db has not seen.
// It only reads, so the server's role may ask.
func Pending(ctx context.Context, db *sql.DB) (int, error) {
	known, err := Latest()
	if err != nil {
		return 0, err
	}
	const query = `/* migrations.Pending */ SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`
	var applied int64
	err = db.QueryRowContext(ctx, query).Scan(&applied)
	var refused *pq.Error
	if errors.As(err, &refused) && (refused.Code == pqerror.UndefinedTable || refused.Code == pqerror.InsufficientPrivilege) {
		err = nil // an empty database, or one whose rights were not given yet
	}
	if err != nil {
		return 0, err
	}
	return int(max(known-applied, 0)), nil
}

// Latest is the highest version this program knows.
func Latest() (int64, error) {
	entries, err := files.ReadDir(".")
	if err != nil {
		return 0, err
	}
	var highest int64 = jobsVersion
	for _, e := range entries {
		if v, err := goose.NumericComponent(e.Name()); err == nil {
			highest = max(highest, v)
		}
	}
	return highest, nil
}

// jobsVersion is the migration that installs the job queue's own tables.
const jobsVersion = 1

func newProvider(db *sql.DB) (*goose.Provider, error) {
	// Half a second between tries (goose waits five by default), for ten minutes.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600), lock.WithUnlockTimeout(1, 60))
	if err != nil {
		return nil, err
	}
	jobs := goose.NewGoMigration(jobsVersion, &goose.GoFunc{RunDB: installJobs}, nil)
	return goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithSessionLocker(locker), goose.WithGoMigrations(jobs), goose.WithDisableGlobalRegistry(true))
}

// installJobs lets River create its tables; its migrations do not run in one transaction.
func installJobs(ctx context.Context, db *sql.DB) error {
	m, err := rivermigrate.New(riverdatabasesql.New(db), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func grant(ctx context.Context, db *sql.DB, role string) error {
	return inGrantTx(ctx, db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, strings.ReplaceAll(grants, "{{role}}", pq.QuoteIdentifier(role))); err != nil {
			return fmt.Errorf("grant to the server's role %q (it must exist): %w", role, err)
		}
		return nil
	})
}
