package pg

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

const (
	// oftenEnough is how often a connection runs a statement before it keeps it prepared: most connections run most statements once.
	prepareAfterRuns = 3
	// mostKnown bounds what a connection keeps, in the server's memory too. The house has some two hundred statements.
	maxCachedStatements = 300
)

// statements are those a connection has run, by their text. PostgreSQL reads and plans a statement anew each time it comes as text, which
// takes longer than most of ours take to run; a prepared one is sent by its name, still in one round trip.
type statementCache map[string]*statement

type statement struct {
	runs     int
	prepared preparedStmt // nil: not yet
}

type preparedStmt interface {
	driver.StmtExecContext
	driver.StmtQueryContext
}

// prepared is the statement as this connection has prepared it; nil: it is run as text.
func (c *watchdogConn) prepared(ctx context.Context, query string, args []driver.NamedValue) (preparedStmt, error) {
	if len(args) == 0 {
		return nil, nil // lib/pq sends it in the simple protocol, and it may be several
	}
	s := c.cache[query]
	if s == nil {
		if len(c.cache) >= maxCachedStatements {
			return nil, nil
		}
		s = &statement{}
		c.cache[query] = s
	}
	if s.runs++; s.runs < prepareAfterRuns || s.prepared != nil {
		return s.prepared, nil
	}
	made, err := c.pqConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s.prepared, _ = made.(preparedStmt)
	return s.prepared, nil
}

// after leaves a connection on which a prepared statement failed for what may be wrong with its preparation: the types it was prepared
// for are not those of the columns any more, or it is gone. The next connection prepares it anew.
func (c *watchdogConn) discardIfStale(err error) error {
	var said *pq.Error
	if !errors.As(err, &said) {
		return err
	}
	switch {
	case isStaleStatement(err), said.Code.Class() == "42": // names and types
		c.discarded.Store(true)
	case said.Code == pqerror.NumericValueOutOfRange, said.Code == pqerror.InvalidTextRepresentation, said.Code == pqerror.InvalidBinaryRepresentation:
		c.discarded.Store(true)
	}
	return err
}

// stale tells whether a statement was refused because it had been prepared before: a migration changed what it answers, or somebody
// between us and PostgreSQL dropped it.
func isStaleStatement(err error) bool {
	var said *pq.Error
	if !errors.As(err, &said) {
		return false
	}
	changed := said.Code == pqerror.FeatureNotSupported && said.Routine == "RevalidateCachedQuery"
	return changed || said.Code == pqerror.InvalidSQLStatementName
}
