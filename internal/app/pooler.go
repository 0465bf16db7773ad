package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"konbit/internal/platform/pg"
)

// errForgetsStatements means that a pooler hands a connection to a database server which does not know its prepared
// statements, or knows others by the same names. Names are numbers, so that the wrong statement could run.
var errForgetsStatements = errors.New("the connection pooler does not support prepared statements: " +
	"use PgBouncer 1.21 or newer with max_prepared_statements = 300, or session pooling, or connect DATABASE_URL directly to PostgreSQL")

// CheckPooler reports errForgetsStatements if a prepared statement of a connection is lost. With a pooler that
// assigns servers by transaction, a transaction on a second connection occupies the server on which the statement was
// prepared; the first connection then gets another server. db needs two connections.
func CheckPooler(ctx context.Context, db *sqlx.DB) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err := statementMovesServer(ctx, db)
	var refused *pq.Error
	if errors.As(err, &refused) {
		switch refused.Code {
		case pqerror.InvalidSQLStatementName, pqerror.DuplicatePstatement, pqerror.ProtocolViolation:
			return fmt.Errorf("%w (%w)", errForgetsStatements, err)
		}
	}
	return err
}

func statementMovesServer(ctx context.Context, db *sqlx.DB) error {
	first, err := db.Connx(ctx)
	if err != nil {
		return err
	}
	defer first.Close()
	for range 5 { // pg prepares a statement after a few runs
		if err := runPrepared(ctx, first); err != nil {
			return err
		}
	}
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `/* app.CheckPooler */ SELECT pg_backend_pid()`); err != nil {
			return err
		}
		return runPrepared(ctx, first)
	})
}

// runPrepared runs one statement in its own transaction.
func runPrepared(ctx context.Context, conn *sqlx.Conn) error {
	const query = `/* app.CheckPooler */ SELECT $1::text || ' is known'`
	tx, err := conn.BeginTxx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit it is a no-op
	var answer string
	if err := tx.GetContext(ctx, &answer, query, "this"); err != nil {
		return err
	}
	if answer != "this is known" {
		return errForgetsStatements
	}
	return tx.Commit()
}
