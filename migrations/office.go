package migrations

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// OfficeStatements returns the two statements that a superuser runs where `konbit migrate` may not create roles. Without NOINHERIT the
// policies of konbit_office would be parsed, for nothing, in each query of the server.
func OfficeStatements(serverRole string) []string {
	server := pq.QuoteIdentifier(serverRole)
	return []string{
		"ALTER ROLE " + server + " NOINHERIT;",
		"CREATE ROLE " + OfficeRole + " NOLOGIN ROLE " + server + ";",
	}
}

// OfficeMissing returns the statements of OfficeStatements that are still to be run; none if staff pages can read. db is any role's.
func OfficeMissing(ctx context.Context, db *sql.DB, serverRole string) ([]string, error) {
	const query = `/* migrations.OfficeMissing */
		SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'konbit_office'),
		       EXISTS (SELECT FROM pg_roles o, pg_roles s WHERE o.rolname = 'konbit_office' AND s.rolname = $1 AND pg_has_role(s.oid, o.oid, 'MEMBER')),
		       EXISTS (SELECT FROM pg_roles WHERE rolname = $1 AND NOT rolinherit)`
	var exists, member, apart bool
	if err := db.QueryRowContext(ctx, query, serverRole).Scan(&exists, &member, &apart); err != nil {
		return nil, err
	}
	lines := OfficeStatements(serverRole)
	var missing []string
	if !apart {
		missing = append(missing, lines[0])
	}
	switch {
	case !exists:
		missing = append(missing, lines[1])
	case !member:
		missing = append(missing, "GRANT "+OfficeRole+" TO "+pq.QuoteIdentifier(serverRole)+";")
	}
	return missing, nil
}

// CheckOffice reports an error that says what to do if staff pages cannot read, or if a table is not under row-level security.
// db is the server's role's.
func CheckOffice(ctx context.Context, db *sql.DB) error {
	var role string
	if err := db.QueryRowContext(ctx, `/* migrations.CheckOffice */ SELECT current_user`).Scan(&role); err != nil {
		return err
	}
	missing, err := OfficeMissing(ctx, db, role)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("run as a superuser: %s then: konbit migrate", strings.Join(missing, " "))
	}
	const query = `/* migrations.CheckOffice */ SELECT c.relname::text FROM pg_class c
		WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY ($1) AND NOT (c.relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'server'))
		ORDER BY c.relname LIMIT 1`
	names := make(pq.StringArray, len(officeTables))
	for i, t := range officeTables {
		names[i] = t.name
	}
	var open string
	switch err := db.QueryRowContext(ctx, query, names).Scan(&open); {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("table %s is not under row-level security: konbit migrate", open)
}

// openOffice gives konbit_office its policies and then its rights. It first creates the role, if the owner may. Without the role it does
// nothing: no row-level security is enabled, and staff pages read nothing.
//
// Each table is a transaction of its own, and one that is as it should be is left alone: a policy needs a lock that waits for every query on its
// table. Tables are changed like a migration: a statement that waits for lockTimeout gives way, and is tried again.
func openOffice(ctx context.Context, ownerURL, serverRole string) error {
	db, err := openBounded(ownerURL)
	if err != nil {
		return err
	}
	defer db.Close()
	if exists, err := createOfficeRole(ctx, db, serverRole); err != nil || !exists {
		return err
	}
	for _, t := range officeTables {
		if err := retrying(ctx, func() error { return secure(ctx, db, t, serverRole) }); err != nil {
			return fmt.Errorf("policies of %s: %w", t.name, err)
		}
	}
	return inGrantTx(ctx, db, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, officeGrants())
		return err
	})
}

// createOfficeRole runs what OfficeMissing returns, as far as the owner may, and reports whether the role exists.
func createOfficeRole(ctx context.Context, db *sql.DB, serverRole string) (bool, error) {
	missing, err := OfficeMissing(ctx, db, serverRole)
	if err != nil {
		return false, err
	}
	for _, statement := range missing {
		err := inGrantTx(ctx, db, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, statement)
			return err
		})
		var refused *pq.Error
		if err != nil && (!errors.As(err, &refused) || refused.Code != pqerror.InsufficientPrivilege && refused.Code != pqerror.DuplicateObject) {
			return false, err
		}
	}
	var exists bool
	const query = `/* migrations.createOfficeRole */ SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'konbit_office')`
	return exists, db.QueryRowContext(ctx, query).Scan(&exists)
}

// secure enables row-level security on a table, in one transaction with the policy of all roles that have rights on it: they read what they read
// before. The policy of konbit_office has the hash of its condition as comment, by which secure sees that it is as it should be.
func secure(ctx context.Context, db *sql.DB, t officeTable, serverRole string) error {
	return inGrantTx(ctx, db, func(tx *sql.Tx) error {
		const state = `/* migrations.secure */
			WITH others (role) AS (
			    SELECT $2::text
			    UNION SELECT r.rolname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
			     CROSS JOIN LATERAL (SELECT * FROM aclexplode(c.relacl) UNION SELECT * FROM aclexplode(a.attacl)) g
			      JOIN pg_roles r ON r.oid = g.grantee
			     WHERE c.oid = $1::regclass AND r.oid <> c.relowner AND r.rolname <> 'konbit_office')
			SELECT c.relrowsecurity,
			       coalesce((SELECT string_agg(quote_ident(role), ', ' ORDER BY role) FROM others), ''),
			       coalesce((SELECT string_agg(quote_ident(r.rolname), ', ' ORDER BY r.rolname::text) FROM pg_policy p JOIN pg_roles r ON r.oid = ANY (p.polroles)
			                  WHERE p.polrelid = c.oid AND p.polname = 'server'), ''),
			       coalesce((SELECT coalesce(obj_description(p.oid, 'pg_policy'), 'unknown') FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'office'), '')
			  FROM pg_class c WHERE c.oid = $1::regclass`
		var enabled bool
		var others, server, office string
		if err := tx.QueryRowContext(ctx, state, t.name, serverRole).Scan(&enabled, &others, &server, &office); err != nil {
			return err
		}
		var todo string
		switch server {
		case others:
		case "":
			todo += `CREATE POLICY server ON ` + t.name + ` TO ` + others + ` USING (true);`
		default:
			todo += `ALTER POLICY server ON ` + t.name + ` TO ` + others + `;`
		}
		if wanted := t.fingerprint(); office != wanted {
			todo += `DROP POLICY IF EXISTS office ON ` + t.name + `;`
			if wanted != "" {
				todo += `CREATE POLICY office ON ` + t.name + ` FOR SELECT TO konbit_office USING (` + t.using + `);
					COMMENT ON POLICY office ON ` + t.name + ` IS '` + wanted + `';`
			}
		}
		if !enabled {
			todo += `ALTER TABLE ` + t.name + ` ENABLE ROW LEVEL SECURITY;`
		}
		if todo == "" {
			return nil
		}
		_, err := tx.ExecContext(ctx, todo)
		return err
	})
}

// fingerprint returns the comment of the policy; "" if there is none.
func (t officeTable) fingerprint() string {
	if t.using == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(t.using))
	return hex.EncodeToString(sum[:8])
}

// retrying runs a step until it has its locks, as upRetrying.
func retrying(ctx context.Context, step func() error) error {
	for tries := 0; ; tries++ {
		err := step()
		var refused *pq.Error
		if err == nil || !errors.As(err, &refused) || tries == maxLockTimeouts ||
			refused.Code != pqerror.LockNotAvailable && refused.Code != pqerror.TRDeadlockDetected {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(lockPause):
		}
	}
}

// inGrantTx runs fn in a transaction that changes rights: one at a time, because two at once would change the same catalogue rows.
func inGrantTx(ctx context.Context, db *sql.DB, fn func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext('konbit grants'))`); err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}
