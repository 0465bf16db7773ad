// Package pg opens PostgreSQL and runs transactions.
//
// A write runs in an explicit transaction: lib/pq may run an auto-commit write twice when the reply to it is lost
// (lib/pq #939), but a statement inside a transaction only once. Repeatable runs those that may run twice. A function that joins the caller's transaction ends
// in Tx and takes the transaction as an argument; a transaction is never passed in ctx.
package pg

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// IdleInTxTimeout is how long a process may leave a transaction open without a statement before the database ends it.
// Without it, a process that was suspended, or whose machine is gone, would hold its locks for as long as that lasts.
const IdleInTxTimeout = 8 * time.Second

// LockTimeout is how long a worker waits for a lock; the job is retried later. It is shorter than IdleInTxTimeout: a
// worker that is suspended while it waits must have left the lock's queue when the lock becomes free. Otherwise each
// suspended worker in the queue would take the lock in turn and hold it for IdleInTxTimeout.
const LockTimeout = 4 * time.Second

// StartTimeout is how long Open waits for a database that accepts connections but does not answer yet: it is starting,
// all its connections are in use, or its machine is busy.
const StartTimeout = 20 * time.Second

// Open connects to the database of the URL with a pool of at most conns connections. It reports an error at once if
// nothing accepts connections there, and after StartTimeout if the database does not answer. With several hosts
// (…?host=a,b) the pool uses the one that accepts writes, and changes to another host when that one is promoted.
func Open(ctx context.Context, url string, conns int) (*sqlx.DB, error) {
	return open(ctx, url, conns, nil)
}

// OpenForWorkers is Open for jobs, which are retried when they fail. A statement waits for a lock for at most
// LockTimeout.
func OpenForWorkers(ctx context.Context, url string, conns int) (*sqlx.DB, error) {
	return open(ctx, url, conns, map[string]time.Duration{"lock_timeout": LockTimeout})
}

// OpenForRequests is Open for HTTP requests, for which a person waits. The database itself ends a wait for a lock
// after a quarter of RequestTimeout, and a statement after RequestTimeout. The end of ctx alone is not enough: its
// request to cancel has no effect when it arrives just before the statement begins.
func OpenForRequests(ctx context.Context, url string, conns int) (*sqlx.DB, error) {
	return open(ctx, url, conns, map[string]time.Duration{"lock_timeout": requestTimeout / 4, "statement_timeout": requestTimeout})
}

func open(ctx context.Context, url string, conns int, bounds map[string]time.Duration) (*sqlx.DB, error) {
	config, err := pq.NewConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	// One round trip for each statement instead of two: a statement is not prepared first. A []byte is then sent as
	// bytea, so text and JSON must be sent as strings.
	config.BinaryParameters = true
	settings := map[string]string{"idle_in_transaction_session_timeout": milliseconds(IdleInTxTimeout)}
	for name, bound := range bounds {
		settings[name] = milliseconds(bound)
	}
	maps.Copy(settings, config.Runtime) // settings in the URL win
	config.Runtime = settings
	connector, err := connectorOf(config)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	db := sqlx.NewDb(sql.OpenDB(connector), "postgres")
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	if err := waitUntilAnswered(ctx, db); err != nil {
		return nil, errors.Join(fmt.Errorf("database: %w", err), db.Close())
	}
	return db, nil
}

// waitUntilAnswered returns nil when the database answers. It tries again while isNotReady, for StartTimeout.
func waitUntilAnswered(ctx context.Context, db *sqlx.DB) error {
	for deadline := time.Now().Add(StartTimeout); ; {
		err := db.PingContext(ctx)
		if err == nil || !isNotReady(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// isNotReady reports whether err says that a database is there but cannot answer now.
func isNotReady(err error) bool {
	var refused *pq.Error
	if errors.As(err, &refused) {
		return refused.Code == pqerror.CannotConnectNow || refused.Code == pqerror.TooManyConnections
	}
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func connectorOf(c pq.Config) (driver.Connector, error) {
	if len(c.Multi) == 0 {
		single, err := newSingle(c)
		return watchdogConnector{single}, err
	}
	several, err := newHostSet(c)
	return watchdogConnector{several}, err
}

// DefaultRequestTimeout is the request timeout unless SetRequestTimeout changes it.
const DefaultRequestTimeout = 1500 * time.Millisecond

var requestTimeout = DefaultRequestTimeout

// RequestTimeout returns how long an HTTP request waits for the database in total: for a connection, for locks and for all
// statements. When all connections are busy, a visitor is asked soon to try again and does not wait longer.
func RequestTimeout() time.Duration { return requestTimeout }

// SetRequestTimeout changes the request timeout of the process. It is called before the first database is opened.
func SetRequestTimeout(d time.Duration) { requestTimeout = d }

// WithRequestTimeout returns ctx with RequestTimeout as its deadline. A transaction that is not finished then is
// rolled back, and its error is transient.
func WithRequestTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, requestTimeout)
}

// ErrCommitUnknown is returned when the reply to a COMMIT was lost: the transaction may have been committed. The
// caller checks before it tries again; a unique key makes the second attempt harmless.
var ErrCommitUnknown = errors.New("pg: the outcome of the commit is unknown")

// InTx runs fn in a read-committed transaction. It commits if fn returns nil; otherwise it rolls back and returns
// fn's error. fn must make no network call.
//
// The end of ctx rolls a transaction back, but never cancels a COMMIT. PostgreSQL would then stop waiting for its
// synchronous standby and report success, and a failover could lose a transaction that was reported as committed.
// When ctx ends during a COMMIT, the COMMIT continues and InTx returns ErrCommitUnknown.
func InTx(ctx context.Context, db *sqlx.DB, fn func(tx *sqlx.Tx) error) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	bound := context.AfterFunc(ctx, end)
	tx, err := db.BeginTxx(life, nil)
	if err != nil {
		end()
		return errors.Join(ctx.Err(), err)
	}
	committing := false
	defer func() {
		if !committing { // an error, which counts more than the rollback's, or a panic
			_ = tx.Rollback()
			end()
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if committing = bound(); !committing {
		return ctx.Err()
	}
	return commit(ctx, tx, end)
}

func commit(ctx context.Context, tx *sqlx.Tx, end func()) error {
	over := make(chan error, 1)
	go func() { defer end(); over <- tx.Commit() }()
	var err error
	select {
	case err = <-over:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		var refused *pq.Error
		if errors.Is(err, pq.ErrInFailedTransaction) {
			return err // a statement failed and fn ignored it: everything is rolled back
		}
		if errors.As(err, &refused) && refused.Code.Class() != "08" && refused.Code.Class() != "57" {
			return err // the server refused the commit: a deferred constraint, a serialisation failure
		}
		return fmt.Errorf("%w: %w", ErrCommitUnknown, err)
	}
	return nil
}

// InTxAsyncCommit is InTx without waiting until the transaction is on disk: a crash of the database within the next
// second may undo the whole transaction. Use it only for work derived from rows that are on disk, which is then done
// again. An email or a call to another system must follow a commit of InTx, which also flushes everything that was
// committed before it.
func InTxAsyncCommit(ctx context.Context, db *sqlx.DB, fn func(tx *sqlx.Tx) error) error {
	return InTx(ctx, db, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `/* pg.InTxAsyncCommit */ SET LOCAL synchronous_commit = off`); err != nil {
			return err
		}
		return fn(tx)
	})
}

// IsTransient reports whether err comes from the state of the database and not from a mistake: a lost connection, a
// server that stops, starts or is full, a deadlock, a timeout. The same work may succeed later.
func IsTransient(err error) bool {
	var refused *pq.Error
	if errors.As(err, &refused) {
		switch refused.Code.Class() {
		case "08", "40", "53", "57", "58": // connection, rollback, resources, intervention, system
			return true
		}
		return isStaleStatement(err) || refused.Code == pqerror.ReadOnlySQLTransaction || // no longer the primary
			refused.Code == pqerror.LockNotAvailable // another transaction held it for too long
	}
	var network net.Error
	return errors.Is(err, ErrCommitUnknown) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.As(err, &network)
}

// IsLockTimeout reports whether err is that another transaction held a lock for longer than LockTimeout.
func IsLockTimeout(err error) bool {
	var refused *pq.Error
	return errors.As(err, &refused) && refused.Code == pqerror.LockNotAvailable
}

// IsTimeout reports whether err is that time ran out, of the context, of the statement or of a network call.
func IsTimeout(err error) bool {
	var refused *pq.Error
	if errors.As(err, &refused) {
		return refused.Code == pqerror.QueryCanceled
	}
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}

// IsLockConflict reports whether err is that another transaction held a lock for too long, or a deadlock. The same work
// succeeds when the other transaction has ended.
func IsLockConflict(err error) bool {
	var refused *pq.Error
	return errors.As(err, &refused) && (refused.Code == pqerror.LockNotAvailable || refused.Code == pqerror.TRDeadlockDetected)
}

// Violates reports whether err is a violation of the named constraint.
func Violates(err error, constraint string) bool {
	var refused *pq.Error
	return errors.As(err, &refused) && refused.Constraint == constraint
}
