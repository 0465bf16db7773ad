package main

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

// errForgets is a pooler that leads a connection to a server where what it prepared is not known, or is somebody else's: statements go
// by their number there, and the wrong one could run.
var errForgets = errors.New("a pooler between does not know prepared statements: let it be PgBouncer 1.21 or newer with max_prepared_statements = 300, or pool by the session, or lead DATABASE_URL to PostgreSQL itself")

// checkPooler holds that what a connection prepared is known wherever it is led next: errForgets. A transaction of another connection
// takes the server on which it was prepared, where there is a pooler that lends servers by the transaction. db may have two connections.
func checkPooler(ctx context.Context, db *sqlx.DB) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err := preparedElsewhere(ctx, db)
	var said *pq.Error
	if errors.As(err, &said) {
		switch said.Code {
		case pqerror.InvalidSQLStatementName, pqerror.DuplicatePstatement, pqerror.ProtocolViolation:
			return fmt.Errorf("%w (%w)", errForgets, err)
		}
	}
	return err
}

func preparedElsewhere(ctx context.Context, db *sqlx.DB) error {
	ours, err := db.Connx(ctx)
	if err != nil {
		return err
	}
	defer ours.Close()
	for range 5 { // until it is prepared, see pg
		if err := isKnown(ctx, ours); err != nil {
			return err
		}
	}
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `/* konbit.checkPooler */ SELECT pg_backend_pid()`); err != nil {
			return err
		}
		return isKnown(ctx, ours)
	})
}

// isKnown runs a statement, in a transaction of its own.
func isKnown(ctx context.Context, conn *sqlx.Conn) error {
	const query = `/* konbit.checkPooler */ SELECT $1::text || ' is known'`
	tx, err := conn.BeginTxx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it is a no-op
	var said string
	if err := tx.GetContext(ctx, &said, query, "this"); err != nil {
		return err
	}
	if said != "this is known" {
		return errForgets
	}
	return tx.Commit()
}
