package pg

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// Repeatable runs one statement that writes, as a transaction of its own, and returns its rows. It needs one round trip,
// where InTx needs three. If the connection breaks, the statement runs again, although its first run may have been
// committed. So the statement must be repeatable: a second run changes nothing, or does no harm.
//
// When ctx ends during the statement, it may have been committed: PostgreSQL answers a cancelled wait for its synchronous
// standby with success. Repeatable then returns ErrCommitUnknown, or the error of a statement that was rolled back.
//
// internal/writes_test.go lists the statements, each with the reason why it is repeatable.
func Repeatable[T any](ctx context.Context, db *sqlx.DB, query string, args ...any) (rows []T, err error) {
	rows, err = alone[T](ctx, db, query, args)
	if !isConnectionLost(err) || ctx.Err() != nil {
		return rows, err
	}
	err = InTx(ctx, db, func(tx *sqlx.Tx) error { // BEGIN finds a connection that works
		rows = nil
		return tx.SelectContext(ctx, &rows, query, args...)
	})
	return rows, err
}

// loneConn is a connection that runs the statements of Repeatable.
type loneConn struct{ *sqlx.Conn }

// alone runs a statement outside a transaction, on a connection that it takes first: the methods of the pool would run it
// again in the same way.
func alone[T any](ctx context.Context, db *sqlx.DB, query string, args []any) (rows []T, err error) {
	taken, err := db.Connx(ctx)
	if err != nil {
		return nil, errors.Join(ctx.Err(), err)
	}
	defer taken.Close()
	conn := loneConn{taken}
	err = conn.SelectContext(ctx, &rows, query, args...)
	if ctx.Err() != nil && (err == nil || errors.Is(err, ctx.Err())) {
		err = fmt.Errorf("%w: %w", ErrCommitUnknown, ctx.Err())
	}
	return rows, err
}

// isConnectionLost reports whether err says that the connection broke, so that nobody knows whether the statement ran.
func isConnectionLost(err error) bool {
	var refused *pq.Error
	if errors.As(err, &refused) {
		return refused.Code.Class() == "08" || refused.Fatal()
	}
	var network net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.As(err, &network) && !network.Timeout()
}
