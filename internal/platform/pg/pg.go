// Package pg opens PostgreSQL and runs transactions.
//
// Every write of the house runs in an explicit transaction: lib/pq may run an auto-commit write twice
// when the reply to it is lost (lib/pq #939), a statement inside a transaction only once. A function
// that joins the caller's transaction ends in Tx and takes it as an argument; it never travels in ctx.
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

// Asleep is how long a process may leave a transaction open without a word before the database ends it. One that sleeps, or
// whose machine is gone, would keep its locks, and what they guard, from all others for as long as that lasts.
const IdleInTxTimeout = 8 * time.Second

// Queueing is how long a worker waits for a lock; its work comes again. It is shorter than Asleep: a worker that falls asleep while it
// waits must be out of the queue when the lock is free, or one sleeper after the other would hold up those who are awake.
const LockTimeout = 4 * time.Second

// Open connects to the database of the URL with a pool of at most conns connections and checks that it answers. Of several hosts
// (…?host=a,b) the pool uses the one that takes writes, and turns to another when that is promoted.
func Open(ctx context.Context, url string, conns int) (*sqlx.DB, error) {
	return open(ctx, url, conns, nil)
}

// OpenWorkers is Open for work that nobody waits for and that is done again when it fails: a lock is waited for no longer than Queueing.
func OpenForWorkers(ctx context.Context, url string, conns int) (*sqlx.DB, error) {
	return open(ctx, url, conns, map[string]time.Duration{"lock_timeout": LockTimeout})
}

// OpenPrompt is Open for those whom somebody waits for: the database itself ends their waiting for a lock, and statements that take
// all of Patience. A request to cancel, which the end of a ctx sends, gets lost when the statement is just about to begin.
func OpenForRequests(ctx context.Context, url string, conns int) (*sqlx.DB, error) {
	return open(ctx, url, conns, map[string]time.Duration{"lock_timeout": RequestTimeout / 4, "statement_timeout": RequestTimeout})
}

func open(ctx context.Context, url string, conns int, bounds map[string]time.Duration) (*sqlx.DB, error) {
	config, err := pq.NewConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	// One round trip a statement, not two: what runs once is not prepared first. A []byte then goes as bytea, so text and JSON go as strings.
	config.BinaryParameters = true
	settings := map[string]string{"idle_in_transaction_session_timeout": milliseconds(IdleInTxTimeout)}
	for name, bound := range bounds {
		settings[name] = milliseconds(bound)
	}
	maps.Copy(settings, config.Runtime) // what the URL says of them holds
	config.Runtime = settings
	connector, err := connectorOf(config)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	db := sqlx.NewDb(sql.OpenDB(connector), "postgres")
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("database: %w", err)
	}
	return db, nil
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

// Patience is how long somebody who waits for an answer waits for the database: for a connection, for locks and for the
// statements together. Who comes when all connections are taken is told soon to come again, rather than left waiting.
const RequestTimeout = 1500 * time.Millisecond

// Soon bounds ctx by Patience. What is not done then is undone, and its error is Passing.
func WithRequestTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, RequestTimeout)
}

// ErrCommitUnknown is a COMMIT whose reply was lost: it may have happened. Whoever gets it looks before
// trying again; a unique key makes the second try harmless.
var ErrCommitUnknown = errors.New("pg: the outcome of the commit is unknown")

// InTx runs fn in a read-committed transaction and commits when fn returns nil; otherwise everything is
// rolled back and fn's error returned. No network call belongs inside fn.
//
// The end of ctx undoes what is not yet about to be committed, and never cancels a COMMIT: PostgreSQL, waiting for its synchronous
// standby, would stop waiting and answer that it is done, and a failover would lose what somebody had been told is kept. Then the
// COMMIT goes on by itself, and its outcome is unknown.
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
			return err // a statement had failed and fn said nothing of it: all is rolled back
		}
		if errors.As(err, &refused) && refused.Code.Class() != "08" && refused.Code.Class() != "57" {
			return err // the server answered and said no: a deferred constraint, a serialisation failure
		}
		return fmt.Errorf("%w: %w", ErrCommitUnknown, err)
	}
	return nil
}

// InTxAsyncCommit is InTx without waiting for the database's log to reach the disk: a crash of the database within the next second may
// take the whole of it back. It is for what is worked off from rows that were flushed and would then be worked off again. Whatever leaves
// the house (a letter, a call) must follow a commit of InTx, which flushes all that was committed before it.
func InTxAsyncCommit(ctx context.Context, db *sqlx.DB, fn func(tx *sqlx.Tx) error) error {
	return InTx(ctx, db, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `/* pg.InTxAsyncCommit */ SET LOCAL synchronous_commit = off`); err != nil {
			return err
		}
		return fn(tx)
	})
}

// Passing tells whether err is the database's weather rather than anybody's mistake: a lost connection, a
// server that stops, starts or is full, a deadlock, time that ran out. The same may well succeed later.
func IsTransient(err error) bool {
	var said *pq.Error
	if errors.As(err, &said) {
		switch said.Code.Class() {
		case "08", "40", "53", "57", "58": // connection, rollback, resources, intervention, system
			return true
		}
		return isStaleStatement(err) || said.Code == pqerror.ReadOnlySQLTransaction || // a server that was the primary
			said.Code == pqerror.LockNotAvailable // somebody else had it for too long
	}
	var network net.Error
	return errors.Is(err, ErrCommitUnknown) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.As(err, &network)
}

// Queued tells whether err is the end of waiting for a lock that somebody else has for too long.
func IsLockTimeout(err error) bool {
	var said *pq.Error
	return errors.As(err, &said) && said.Code == pqerror.LockNotAvailable
}

// Violates tells whether err is the refusal of the named constraint.
func Violates(err error, constraint string) bool {
	var refused *pq.Error
	return errors.As(err, &refused) && refused.Constraint == constraint
}

// UUIDs is an argument for `$1::uuid[]`.
func UUIDs[T fmt.Stringer](ids []T) pq.StringArray {
	texts := make(pq.StringArray, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	return texts
}
