package localpg

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// port only names the socket's file: each server has a socket directory of its own.
const port = "5432"

// URL is where a role reaches a database of this server, in the form of a DATABASE_URL. No password is asked for.
func (s *Server) URL(user, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(user), Path: "/" + database}
	u.RawQuery = url.Values{"host": {s.socketDir}, "port": {port}, "sslmode": {"disable"}}.Encode()
	return u.String()
}

// CreateRole makes a role that may log in and nothing else, unless there is one of that name.
func (s *Server) CreateRole(ctx context.Context, name string) error {
	return s.admin(ctx, "create role", "CREATE ROLE "+pq.QuoteIdentifier(name)+" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE", pqerror.DuplicateObject)
}

// CreateDatabase makes an empty database owned by a role, unless there is one of that name.
func (s *Server) CreateDatabase(ctx context.Context, name, owner string) error {
	return s.CloneDatabase(ctx, name, "template0", owner)
}

// CloneDatabase makes a database as a copy of another to which nobody is connected, unless there is one of that name.
func (s *Server) CloneDatabase(ctx context.Context, name, template, owner string) error {
	return s.admin(ctx, "create database", "CREATE DATABASE "+pq.QuoteIdentifier(name)+
		" TEMPLATE "+pq.QuoteIdentifier(template)+" OWNER "+pq.QuoteIdentifier(owner), pqerror.DuplicateDatabase)
}

// DropDatabase removes a database and cuts its connections. It does nothing when there is none of that name.
func (s *Server) DropDatabase(ctx context.Context, name string) error {
	return s.admin(ctx, "drop database", "DROP DATABASE IF EXISTS "+pq.QuoteIdentifier(name)+" WITH (FORCE)", "")
}

// admin runs one statement as the cluster's superuser; done is the SQLSTATE (Appendix A of the manual) that means it was done
// before. CREATE and DROP DATABASE cannot run inside a transaction.
func (s *Server) admin(ctx context.Context, what, statement string, done pqerror.Code) error {
	db, err := sql.Open("postgres", s.URL("postgres", "postgres"))
	if err != nil {
		return fmt.Errorf("localpg: %w", err)
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, statement)
	if refused := (*pq.Error)(nil); errors.As(err, &refused) && refused.Code == done {
		return nil
	}
	if err != nil {
		return fmt.Errorf("localpg: %s: %w", what, err)
	}
	return nil
}

// Remove deletes the cluster in dataDir with the lock and the log beside it, unless a server runs on it. What is no cluster stays.
func Remove(ctx context.Context, dataDir string) error {
	if _, err := os.Stat(filepath.Join(dataDir, "PG_VERSION")); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("localpg: %w", err)
	}
	held, err := lock(ctx, dataDir)
	if err != nil {
		return err
	}
	defer held.Close()
	if err := errors.Join(os.RemoveAll(dataDir), os.RemoveAll(dataDir+".log"), os.RemoveAll(dataDir+".lock")); err != nil {
		return fmt.Errorf("localpg: %w", err)
	}
	return nil
}
