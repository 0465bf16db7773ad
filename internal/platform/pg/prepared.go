package pg

import (
	"context"
	"database/sql/driver"
	"errors"
	"regexp"
	"strings"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

const (
	// prepareAfterRuns is how often a connection runs a statement as text before it prepares it. Most connections run
	// most statements once.
	prepareAfterRuns = 3
	// maxCachedStatements bounds the statements of a connection, which also need memory in the server. The program has
	// about 200.
	maxCachedStatements = 300
)

// statementCache holds the statements that a connection has run, by their text. PostgreSQL parses and plans a
// statement again each time it is sent as text, which takes longer than most of ours run. A prepared statement is
// sent by its name, still in one round trip.
type statementCache map[string]*statement

type statement struct {
	runs     int
	prepared preparedStmt // nil until it is prepared
}

type preparedStmt interface {
	driver.StmtExecContext
	driver.StmtQueryContext
}

// prepared returns the statement as this connection has prepared it; nil if it is to be run as text.
func (c *watchdogConn) prepared(ctx context.Context, query string, args []driver.NamedValue) (preparedStmt, error) {
	if len(args) == 0 {
		return nil, nil // lib/pq sends it in the simple protocol, and it may be several
	}
	if strings.Contains(query, "SKIP LOCKED") {
		// It takes from a queue, and is planned for the queue's present length: a plan that was made while few rows waited
		// reads the whole table for each of thousands.
		return nil, nil
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
	made, err := c.pqConn.PrepareContext(ctx, withKeptPlan(query))
	if err != nil {
		return nil, err
	}
	s.prepared, _ = made.(preparedStmt)
	return s.prepared, nil
}

// arrayArgument matches an argument that is an array.
var arrayArgument = regexp.MustCompile(`(\$\d+)::([a-z_0-9]+\[\])`)

// withKeptPlan returns a statement whose plan PostgreSQL keeps. For an array it plans anew each time: it sees that the array
// is shorter than the ten elements that it assumes without looking, takes that for an advantage, and plans for longer than
// the statement runs. It does not see the length of an array that it must select first.
func withKeptPlan(query string) string {
	return arrayArgument.ReplaceAllString(query, "(SELECT $1::$2)::$2")
}

// discardIfStale discards the connection if a prepared statement failed because of its preparation: the columns have
// other types now, or the prepared statement is gone. The next connection prepares it again. It returns err.
func (c *watchdogConn) discardIfStale(err error) error {
	var refused *pq.Error
	if !errors.As(err, &refused) {
		return err
	}
	switch {
	case isStaleStatement(err), refused.Code.Class() == "42": // names and types
		c.discarded.Store(true)
	case refused.Code == pqerror.NumericValueOutOfRange, refused.Code == pqerror.InvalidTextRepresentation, refused.Code == pqerror.InvalidBinaryRepresentation:
		c.discarded.Store(true)
	}
	return err
}

// isStaleStatement reports whether a statement was refused because it had been prepared before: a migration changed
// its result, or a pooler between us and PostgreSQL dropped it.
func isStaleStatement(err error) bool {
	var refused *pq.Error
	if !errors.As(err, &refused) {
		return false
	}
	changed := refused.Code == pqerror.FeatureNotSupported && refused.Routine == "RevalidateCachedQuery"
	return changed || refused.Code == pqerror.InvalidSQLStatementName
}
